import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { expandDims, reshape, squeeze } from "../../../src/graph/ops/reshape.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { plan } from "../../../src/graph/plan.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

describe("reshape", () => {
  it("keeps the numbers and costs nothing, forward and backward", async () => {
    const input = randomInput([4, 3, 16], 1);
    const { data: dy } = randomInput([12, 16], 2);
    const twice = (x: Tensor): Tensor => scale(reshape(x, [12, 16]), 2);
    const { y, gradients } = await runOp(gpu(), twice, [input], dy, { maxBindingBytes: 256 });
    expect(y).toEqual(input.data.map((value) => 2 * value));
    expect(gradients[0]).toEqual(dy.map((value) => 2 * value));
    const graph = new Graph();
    const x = graph.input("x", [4, 3, 16]);
    expect(
      plan({ outputs: { y: add(reshape(x, [192]), reshape(x, [192])) } }, paperTarget).summary.dispatches,
    ).toBe(1);
  });

  it("to its own shape is x itself, and must have as many elements", () => {
    const x = new Graph().input("x", [2, 3]);
    expect(reshape(x, [2, 3])).toBe(x);
    expect(() => reshape(x, [4])).toThrow('reshape: "x" [2, 3] has 6 elements and [4] 4.');
  });

  it("works out one extent, adds axes of one and takes them away", () => {
    const x = new Graph().input("x", [2, 1, 3]);
    expect(reshape(x, [-1]).shape).toEqual([6]);
    expect(reshape(x, [3, -1, 2]).shape).toEqual([3, 1, 2]);
    for (const shape of [
      [4, -1],
      [-1, -1],
      [-1, 2, -1],
    ])
      expect(() => reshape(x, shape)).toThrow(
        `cannot have the shape [${shape.join(", ")}]: one extent may be -1`,
      );
    expect(expandDims(x, 0).shape).toEqual([1, 2, 1, 3]);
    expect(expandDims(x, -1).shape).toEqual([2, 1, 3, 1]);
    expect(squeeze(x).shape).toEqual([2, 3]);
    expect(squeeze(x, [-2]).shape).toEqual([2, 3]);
    expect(() => expandDims(x, 4)).toThrow('expandDims: "x" [2, 1, 3] has no axis 4: name one from -4 to 3.');
    expect(() => squeeze(x, [0])).toThrow('squeeze: axis 0 of "x" [2, 1, 3] has 2 numbers, not 1.');
  });
});
