import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { binaryCrossentropy, categoricalCrossentropy } from "../../../src/graph/ops/crossentropy.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { OpInput } from "../../helpers/op.ts";

const values = (shape: number[], ...data: number[]): OpInput => ({ shape, data: Float32Array.from(data) });
const ONE = Float32Array.of(1);

describe("cross-entropies", () => {
  const gpu = useGpu();

  it("binaryCrossentropy stays finite far out, and exact where the answer is nearly right", async () => {
    const logits = values([6], -1e4, 1e4, 100, -100, 20, -20);
    const truth = values([6], 0, 0, 1, 1, 1, 0);
    const { y, gradients } = await runOp(
      gpu(),
      (p, t) => binaryCrossentropy(p, t, { fromLogits: true, reduction: "sum" }),
      [logits, truth],
      ONE,
    );
    // A sample is what lies along the last axis.
    expectClose(y, [(1e4 + 100) / 6]);
    expectClose(gradients[0], [0, 1 / 6, 0, -1 / 6, 0, 0], 1e-6);
    const near = await runOp(
      gpu(),
      (p, t) => binaryCrossentropy(p, t, { fromLogits: true }),
      [values([2], 20, -18), values([2], 1, 0)],
      ONE,
    );
    expectClose(near.y, [(Math.exp(-20) + Math.exp(-18)) / 2]);
  });

  it("binaryCrossentropy of probabilities keeps 1e-7 from 0 and 1, without a gradient beyond", async () => {
    const { y, gradients } = await runOp(
      gpu(),
      (p, t) => binaryCrossentropy(p, t, { reduction: "none" }),
      [values([4, 1], 0, 1, 0, 0.25), values([4, 1], 1, 1, 0, 1)],
      new Float32Array(4).fill(1),
    );
    expectClose([y[0], y[3]], [-Math.log(1e-7), Math.log(4)]);
    expect(Math.abs(y[1])).toBeLessThan(1e-6);
    expect(Math.abs(y[2])).toBeLessThan(1e-6);
    expectClose(gradients[0], [0, 0, 0, -4]);
  });

  it("categoricalCrossentropy stays finite with huge logits", async () => {
    const { y, gradients } = await runOp(
      gpu(),
      (x, t) => categoricalCrossentropy(x, t, { fromLogits: true, reduction: "none" }),
      [values([2, 3], 1e4, -1e4, 0, 1e4, 1e4, -1e4), values([2, 3], 0, 1, 0, 1, 0, 0)],
      new Float32Array(2).fill(1),
    );
    expectClose(y, [2e4, Math.LN2]);
    expectClose(gradients[0], [1, -1, 0, -0.5, 0.5, 0]);
  });

  it("categoricalCrossentropy of one class is 0 from logits", async () => {
    const { y, gradients } = await runOp(
      gpu(),
      (x, t) => categoricalCrossentropy(x, t, { fromLogits: true }),
      [values([3, 1], -2, 0, 5), values([3, 1], 1, 1, 1)],
      ONE,
    );
    expect(y[0]).toBe(0);
    expect([...gradients[0]!].map(Math.abs)).toEqual([0, 0, 0]);
  });

  it("say what does not fit", () => {
    const graph = new Graph();
    const [p, one] = [graph.input("p", [2, 3]), graph.input("one", [])];
    expect(() => binaryCrossentropy(p, p, { labelSmoothing: 1 })).toThrow(
      "binaryCrossentropy: labelSmoothing must be from 0 to below 1, not 1.",
    );
    expect(() => categoricalCrossentropy(one, one)).toThrow(
      'categoricalCrossentropy takes [N, .., classes]; the prediction "one" is a scalar.',
    );
    expect(() => categoricalCrossentropy(p, graph.input("labels", [2], "u32"))).toThrow(
      'categoricalCrossentropy takes floats; "labels" is u32 [2]',
    );
  });
});
