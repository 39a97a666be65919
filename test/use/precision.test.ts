import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { TestContext } from "vitest";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { decodePhoto } from "../../src/data/photo.ts";
import { maskFromLogits } from "../../src/masks/mask-from-logits.ts";
import type { EvaluationReport } from "../../src/use/evaluation-report.ts";
import { evaluateModel } from "../../src/use/model-evaluation.ts";
import { loadModel } from "../../src/use/model.ts";
import { choosePrecision } from "../../src/use/precision.ts";
import { Predictor } from "../../src/use/predictor.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import type { NamedTensors } from "../../src/weights/tensors.ts";
import { runCommandQuickly } from "../cli/command-process.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { TINY_CLASSES, TINY_METADATA, tinyModel } from "../train/tiny-model.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

describe("choosePrecision", () => {
  const [without, having] = [[], ["shader-f16"]].map((features) => ({
    features: new Set(features),
    adapterName: "SwiftShader",
  }));

  it("takes what is asked for, else what the network was trained in, where the adapter has it", () => {
    expect(choosePrecision(having, { precision: "f32" })).toEqual({ precision: "f32", text: "f32" });
    expect(choosePrecision(having, { precision: "f32" }, "f16")).toEqual({ precision: "f16", text: "f16" });
    expect(choosePrecision(having, { precision: "f16" }, "f32")).toEqual({ precision: "f32", text: "f32" });
    expect(choosePrecision(having, { precision: "f16" })).toEqual({
      precision: "f16",
      text: "f16, as it was trained",
    });
    expect(choosePrecision(without, { precision: "f16" })).toEqual({
      precision: "f32",
      text: "f32 (it was trained in f16, which SwiftShader does not have)",
    });
  });

  it("refuses f16 that is asked for where the adapter has none", () => {
    expect(() => choosePrecision(without, { precision: "f32" }, "f16")).toThrow(
      /^--precision f16: SwiftShader has no half-precision numbers .* or take --precision f32\.$/,
    );
  });
});

describe("a trained network in half precision", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let tensors: NamedTensors;
  beforeAll(async () => {
    tensors = await tinyModel(gpu());
  });
  const needsHalf = ({ skip }: TestContext): void =>
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );

  it("is evaluated as in f32 but for pixels at the edge of two classes, in less memory", async (context) => {
    needsHalf(context);
    const file = temporary("model.safetensors");
    await writeSafetensors(file, tensors, TINY_METADATA);
    const model = await loadModel(file);
    const drawn = new GeneratedDataset({ size: 6, imageSize: 32, seed: 4 });
    // The tiny model tells other classes apart than the drawings have.
    const dataset = {
      ...{
        size: drawn.size,
        imageSize: drawn.imageSize,
        names: drawn.names,
        classNames: TINY_CLASSES,
        ignores: false,
      },
      load: async (index: number) => {
        const { mask, ...sample } = await drawn.load(index);
        return { ...sample, mask: mask.map((label) => label % TINY_CLASSES.length) };
      },
    };
    const [full, half] = [
      await evaluateModel(gpu(), model, dataset, { batchSize: 6 }),
      await evaluateModel(gpu(), model, dataset, { batchSize: 6, precision: "f16" }),
    ];
    expect([full.precision, half.precision]).toEqual(["f32", "f16"]);
    expect(Math.abs(half.accuracy - full.accuracy)).toBeLessThan(0.005);
    expect(Math.abs(half.loss! / full.loss! - 1)).toBeLessThan(0.005);
    // Weights stay f32; activations are most of the rest.
    expect(half.gpuBytes).toBeLessThan(0.8 * full.gpuBytes);
    // The bits of f32 would mean that nothing was stored in f16.
    expect(half.loss).not.toBe(full.loss);
  });

  it("labels photos so, and says where half precision is too small for it", async (context) => {
    needsHalf(context);
    const picture = temporary("photo.png");
    await photo(60, 44).png().toFile(picture);
    const given = await decodePhoto(picture);
    const size = { width: 32, height: 32 };
    const masks = async (name: string, weights: NamedTensors, precision: "f32" | "f16") => {
      const file = temporary(name);
      await writeSafetensors(file, weights, TINY_METADATA);
      const predictor = await Predictor.create(gpu(), await loadModel(file), { batchSize: 1, precision });
      try {
        const [logits] = await predictor.scores([given]);
        return maskFromLogits(logits, size, TINY_CLASSES.length, size);
      } finally {
        predictor.destroy();
      }
    };
    const full = await masks("a.safetensors", tensors, "f32");
    const half = await masks("a.safetensors", tensors, "f16");
    const equal = full.filter((label, pixel) => label === half[pixel]).length / full.length;
    expect(equal).toBeGreaterThan(0.99);
    expect(new Set(half).size).toBeGreaterThan(1);

    const large = new Map(tensors).set("head/bias", { shape: [5], data: new Float32Array(5).fill(1e6) });
    await masks("b.safetensors", large, "f32");
    await expect(masks("b.safetensors", large, "f16")).rejects.toThrow(
      /gives logits that are not finite numbers in f16, whose largest is 65504: take --precision f32\.$/,
    );
  });

  it("is what eval and predict take for a network that was trained so, and they say it", async (context) => {
    needsHalf(context);
    const folder = await folderOf({
      "images/a.png": await photo(40, 60).png().toBuffer(),
      "masks/a.png": await greyPng(40, 60, (x) => x % 5),
    });
    const file = join(folder, "model.safetensors");
    await writeSafetensors(file, tensors, { ...TINY_METADATA, precision: "f16" });
    const json = join(folder, "eval.json");
    const evaluated = async (...args: string[]) => {
      const { errors, output } = await runCommandQuickly("eval", [
        ...["--model", file, "--data", folder, "--json", json],
        ...args,
      ]);
      expect(errors).toBe("");
      return { output, report: JSON.parse(await readFile(json, "utf8")) as EvaluationReport };
    };
    const half = await evaluated();
    const full = await evaluated("--precision", "f32");
    expect(half.output).toContain("\nPrecision: f16, as it was trained\n");
    expect(full.output).toContain("\nPrecision: f32\n");
    expect([half.report.precision, full.report.precision]).toEqual(["f16", "f32"]);
    expect(half.report.gpu_bytes).toBeLessThan(full.report.gpu_bytes);
    expect(half.output).toMatch(/\nMemory: [\d.]+ [KM]iB on the GPU\n/);

    const out = join(folder, "out");
    const images = join(folder, "images");
    const predicted = await runCommandQuickly("predict", [
      ...["--model", file, "--images", images, "--out", out],
    ]);
    expect(predicted.errors).toBe("");
    expect(predicted.output).toContain("\nPrecision: f16, as it was trained\n");
    expect(JSON.parse(await readFile(join(out, "a.json"), "utf8"))).toMatchObject({ precision: "f16" });
  });
});
