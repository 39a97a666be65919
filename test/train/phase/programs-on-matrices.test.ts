import { describe, expect, it } from "vitest";
import { plan } from "../../../src/graph/plan.ts";
import type { Goals } from "../../../src/graph/plan.ts";
import type { Kernel } from "../../../src/kernels/kernel.ts";
import { evaluator, trainingStep } from "../../../src/train/phase/programs.ts";
import type { Precision } from "../../../src/config/index.ts";
import type { StepSpec } from "../../../src/train/phase/programs.ts";
import { usesMatrices } from "../../helpers/emulated-matrices.ts";
import { paperGpu } from "../../helpers/target.ts";
import { useTint } from "../../helpers/tint.ts";

const compile = useTint();

const spec = (precision: Precision): StepSpec => ({
  batchSize: 64,
  imageSize: 128,
  classes: 59,
  momentum: 0.99,
  precision,
  optimizer: "rmsprop",
  clipNorm: null,
  weighted: false,
});

/** The kernels of a program that are matrix products. */
const products = (goals: Goals): Kernel[] =>
  plan(goals, paperGpu)
    .dispatches.map(({ kernel }) => kernel)
    .filter(({ tiling }) => tiling !== undefined);

describe("on a GPU with subgroup matrices", () => {
  it.each([
    ["a training step", trainingStep(spec("f16"), "finetune")],
    ["a training step on a frozen encoder", trainingStep(spec("f16"), "frozen")],
    ["evaluation", evaluator(spec("f16"))],
  ])("%s in half precision multiplies them wherever there is enough to sum", async (_, goals) => {
    const all = products(goals);
    const others = all.filter((kernel) => !usesMatrices(kernel));
    // Only the first convolution sums over the three colours.
    expect(others.map(({ tiling }) => tiling!.request.depth)).toEqual([3]);
    const texts = new Map(all.filter(usesMatrices).map((kernel) => [kernel.wgsl, kernel]));
    for (const kernel of texts.values()) expect((await compile(kernel)).messages, kernel.label).toEqual([]);
  });

  it("nothing does in single precision", () => {
    expect(products(trainingStep(spec("f32"), "finetune")).some(usesMatrices)).toBe(false);
  });
});
