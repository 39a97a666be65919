import { describe, expect, it } from "vitest";
import { convolutions, stepFlops } from "../../bench/step/arithmetic.ts";
import { plan } from "../../src/graph/plan.ts";
import { trainingStep } from "../../src/train/phase/programs.ts";
import { paperTarget } from "../helpers/target.ts";

const shape = { batchSize: 64, imageSize: 128, classes: 59, decoder: "transpose" } as const;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("the arithmetic of a step", () => {
  it("has the network's 120 and 5 convolutions, with 0.925 and 1.033 G multiply-adds at 128×128", () => {
    const of = (part: string): number[] =>
      convolutions(shape)
        .filter((conv) => conv.part === part)
        .map(({ multiplyAdds }) => multiplyAdds);
    expect(of("encoder")).toHaveLength(1 + 2 * 58 + 3);
    expect(sum(of("encoder")) / 1e9).toBeCloseTo(0.925, 3);
    expect(of("decoder")).toHaveLength(5);
    expect(sum(of("decoder")) / 1e9).toBeCloseTo(1.033, 3);
  });

  it("takes 747 GFLOP to fine-tune on 64 photos", () => {
    expect(stepFlops(shape, "finetune") / 1e9).toBeCloseTo(747, 0);
  });

  it("asks for no gradient of the encoder's outputs while it is frozen", () => {
    // By hand, at 32×32 in units of 9·1²: by data only the decoded channels of each joined input.
    const small = { batchSize: 1, imageSize: 32, classes: 59, decoder: "transpose" } as const;
    const encoder = sum(
      convolutions(small)
        .filter(({ part }) => part === "encoder")
        .map(({ multiplyAdds }) => multiplyAdds),
    );
    const products = [
      [1, 1024, 512, 0],
      [4, 1536, 256, 512],
      [16, 768, 128, 256],
      [64, 384, 64, 128],
      [256, 128, 59, 64],
    ].map(([pixels, inputs, filters, decoded]) => 9 * pixels * filters * (2 * inputs + decoded));
    expect(stepFlops(small, "frozen")).toBe(2 * (encoder + sum(products)));
  });

  it.each(["frozen", "finetune"] as const)("of the %s phase is that of the kernels it runs", (phase) => {
    const small = { batchSize: 2, imageSize: 32, classes: 59, decoder: "transpose" } as const;
    const spec = { ...small, momentum: 0.99, optimizer: "rmsprop", clipNorm: null, weighted: false } as const;
    const { dispatches } = plan(trainingStep(spec, phase), paperTarget);
    // The transitions' convolutions are run behind their pooling, on a quarter of the pixels.
    const transitions = [
      [8, 256],
      [4, 512],
      [2, 1024],
    ].map(([side, channels]) => (2 * small.batchSize * side ** 2 * channels ** 2) / 2);
    const saved = 0.75 * sum(transitions) * (phase === "frozen" ? 1 : 3);
    const run = sum(dispatches.map(({ kernel }) => kernel.flops ?? 0));
    expect(run).toBe(stepFlops(small, phase) - saved);
  });

  it("grows with the photos and their area, and with the decoder that convolves the doubled image", () => {
    expect(stepFlops({ ...shape, batchSize: 1 }, "frozen") * 64).toBeCloseTo(stepFlops(shape, "frozen"), -3);
    expect(stepFlops({ ...shape, imageSize: 64 }, "finetune") * 4).toBe(stepFlops(shape, "finetune"));
    const nearest = convolutions({ ...shape, decoder: "nearest" }).at(-1)!;
    expect(nearest.multiplyAdds).toBe(4 * convolutions(shape).at(-1)!.multiplyAdds);
  });
});
