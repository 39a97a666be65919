import { describe, expect, it } from "vitest";
import { ConfigError, resolveConfig } from "../../src/train/config.ts";

describe("resolveConfig", () => {
  it("gives hardware the tutorial and a CPU adapter the quick preset of its size", () => {
    const article = resolveConfig({}, "hardware");
    expect(article).toMatchObject({ preset: "article", imageSize: 128, batchSize: 64, momentum: 0.99 });
    expect(article).toMatchObject({
      epochsFrozen: 20,
      epochsFinetune: 20,
      stepsPerEpoch: 12,
      learningRate: 1e-3,
    });
    expect(article.finetuneLearningRate).toBe(1e-3);
    expect(resolveConfig({}, "lavapipe")).toMatchObject({ preset: "quick", imageSize: 64 });
    expect(resolveConfig({}, "swiftshader")).toMatchObject({ preset: "quick", imageSize: 32 });
    expect(resolveConfig({ preset: "article" }, "swiftshader")).toMatchObject({
      imageSize: 128,
      batchSize: 64,
    });
  });

  it("does not freeze an encoder of random numbers for long", () => {
    const [scratch, pretrained] = [{}, { weights: "w.h5" }].map((flags) => resolveConfig(flags, "lavapipe"));
    expect(scratch.epochsFrozen).toBeLessThan(scratch.epochsFinetune);
    expect(scratch.finetuneLearningRate).toBe(scratch.learningRate);
    expect(pretrained.epochsFrozen).toBeGreaterThan(pretrained.epochsFinetune);
    expect(pretrained.finetuneLearningRate).toBeLessThan(pretrained.learningRate);
  });

  it("lets flags win, and those left out stay the preset's", () => {
    const config = resolveConfig({ imageSize: 96, batchSize: undefined, seed: 7, out: "here" }, "lavapipe");
    expect(config).toMatchObject({ imageSize: 96, batchSize: 4, seed: 7, out: "here" });
  });

  it("scales the fine-tuning rate with --learning-rate unless it is given itself", () => {
    const scaled = resolveConfig({ learningRate: 2e-3, weights: "w.h5" }, "lavapipe");
    expect(scaled.finetuneLearningRate).toBeCloseTo(6e-5, 12);
    expect(
      resolveConfig({ learningRate: 2e-3, finetuneLearningRate: 5e-5 }, "lavapipe").finetuneLearningRate,
    ).toBe(5e-5);
  });

  it.each([
    [{ imageSize: 50 }, "--image-size must be a multiple of 32"],
    [{ imageSize: 0 }, "--image-size must be at least 32"],
    [{ batchSize: 2.5 }, "--batch-size must be a whole number"],
    [{ learningRate: -1 }, "--learning-rate must be above 0"],
    [{ seed: -1 }, "--seed must be at least 0"],
    [{ epochsFrozen: 0, epochsFinetune: 0 }, "There is nothing to train"],
    [{ preset: "slow" as "quick" }, '--preset must be "quick" or "article"'],
  ])("refuses %j in one sentence", (flags, sentence) => {
    expect(() => resolveConfig(flags, "lavapipe")).toThrow(ConfigError);
    expect(() => resolveConfig(flags, "lavapipe")).toThrow(sentence);
  });
});
