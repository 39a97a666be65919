import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { reshape } from "../../../src/graph/ops/reshape.ts";
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
});
