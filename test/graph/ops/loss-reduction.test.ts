import { describe, expect, it } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { binaryCrossentropy, categoricalCrossentropy } from "../../../src/graph/ops/crossentropy.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { huber, meanAbsoluteError, meanSquaredError } from "../../../src/graph/ops/regression-losses.ts";
import { compile } from "../../../src/graph/compile.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { OpInput } from "../../helpers/op.ts";

const values = (shape: number[], ...data: number[]): OpInput => ({ shape, data: Float32Array.from(data) });

/** Dispatches that the loss takes, and that its gradient takes beside it. */
async function dispatches(
  gpu: Gpu,
  loss: (prediction: Tensor, truth: Tensor) => Tensor,
): Promise<readonly [forward: number, both: number]> {
  const graph = new Graph();
  const prediction = graph.input("prediction", [4, 6]);
  const y = loss(prediction, graph.input("truth", [4, 6]));
  const gradient = gradients(y, [prediction]).get(prediction)!;
  using forward = await compile(gpu, { outputs: { y } });
  using both = await compile(gpu, { outputs: { y, gradient } });
  return [forward.summary.dispatches, both.summary.dispatches];
}

describe("losses of numbers", () => {
  const gpu = useGpu();

  it.each([
    ["meanSquaredError", meanSquaredError, 1, 1],
    ["meanAbsoluteError", meanAbsoluteError, 1, 1],
    ["huber", huber, 1, 1],
    ["binaryCrossentropy", binaryCrossentropy, 1, 1],
    [
      "binaryCrossentropy from logits",
      (p: Tensor, t: Tensor) => binaryCrossentropy(p, t, { fromLogits: true, labelSmoothing: 0.1 }),
      ...[1, 1],
    ],
    ["categoricalCrossentropy", categoricalCrossentropy, 2, 2],
    [
      "categoricalCrossentropy from logits",
      (p: Tensor, t: Tensor) => categoricalCrossentropy(p, t, { fromLogits: true }),
      ...[3, 2],
    ],
  ] as [string, (p: Tensor, t: Tensor) => Tensor, number, number][])(
    "%s takes one or two dispatches forward and back, or three",
    async (_, loss, forward, back) => {
      expect(await dispatches(gpu(), loss)).toEqual([forward, forward + back]);
    },
  );

  it.each([
    ["mean", [8.75], 0.5],
    ["sum", [17.5], 1],
    ["none", [5, 12.5], 1],
  ] as const)("reduce to the %s as Keras does", async (reduction, expected, factor) => {
    // Of the first sample 1² and 3², of the second 0 and 5².
    const { y, gradients } = await runOp(
      gpu(),
      (p, t) => meanSquaredError(p, t, { reduction }),
      [values([2, 2], 1, 3, 2, 5), values([2, 2], 0, 0, 2, 0)],
      new Float32Array(expected.length).fill(1),
    );
    expectClose(y, expected);
    expectClose(
      gradients[0],
      [1, 3, 0, 5].map((each) => factor * each),
    );
  });

  it("multiply each sample's loss by its weight and divide by their number", async () => {
    const inputs = [
      values([2, 2, 1], 1, 3, 2, 5),
      values([2, 2, 1], 0, 0, 2, 0),
      values([2], 2, 0.5),
      values([2, 2], 1, 0, 3, 2),
    ];
    const perItem = await runOp(
      gpu(),
      (p, t, w) => meanSquaredError(p, t, { sampleWeight: w }),
      inputs.slice(0, 3),
      Float32Array.of(1),
    );
    expectClose(perItem.y, [(2 * 1 + 2 * 9 + 0.5 * 25) / 4]);
    expectClose(perItem.gradients[0], [1, 3, 0, 1.25]);
    const each = await runOp(
      gpu(),
      (p, t, _, w) => meanSquaredError(p, t, { sampleWeight: w, reduction: "none" }),
      inputs,
      new Float32Array(4).fill(1),
    );
    expectClose(each.y, [1, 0, 0, 50]);
    const classes = await runOp(
      gpu(),
      (p, t, w) => categoricalCrossentropy(p, t, { sampleWeight: w, reduction: "sum" }),
      [values([2, 2], 1, 3, 2, 2), values([2, 2], 1, 0, 0, 1), values([2], 2, 0.5)],
      Float32Array.of(1),
    );
    expectClose(classes.y, [2 * Math.log(4) + 0.5 * Math.log(2)]);
  });

  it("compute in f32 what f16 could not hold", async ({ skip }) => {
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    const { y } = await runOp(
      gpu(),
      (p, t) => meanSquaredError(cast(p, "f16"), t),
      [values([2], 1000, 2000), values([2], 0, 0)],
      Float32Array.of(1),
    );
    expectClose(y, [2.5e6]);
  });

  it("say what does not fit", () => {
    const graph = new Graph();
    const [p, t, w] = [graph.input("p", [2, 1]), graph.input("t", [2]), graph.input("w", [3])];
    expect(() => meanSquaredError(p, t)).toThrow(
      'meanSquaredError: the prediction "p" [2, 1] and the truth "t" [2] differ in shape: reshape one of them.',
    );
    expect(() => meanSquaredError(p, p, { sampleWeight: w })).toThrow(
      'meanSquaredError: the sample weights "w" are [3] and must be [2], one a sample, or the first of these axes.',
    );
    expect(() => meanAbsoluteError(p, graph.input("labels", [2, 1], "u32"))).toThrow(
      'meanAbsoluteError takes floats; "labels" is u32 [2, 1]: cast it to f32 first.',
    );
    expect(() => huber(p, p, { delta: 0 })).toThrow("huber: delta must be a number above 0, not 0.");
    expect(() => huber(p, p, { reduction: "average" as "mean" })).toThrow(
      'huber: the reduction is "mean", "sum" or "none", not "average".',
    );
    expect(() => meanSquaredError(graph.input("a", []), graph.input("b", []), { reduction: "none" })).toThrow(
      "a scalar has no samples to keep apart",
    );
  });
});
