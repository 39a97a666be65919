import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { addN } from "../../../src/graph/ops/add-n.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { plan } from "../../../src/graph/plan.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { LimitedGraph } from "../../helpers/limited-graph.ts";
import { runOp } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

describe("addN", () => {
  const gpu = useGpu();

  it.each([
    { count: 2, shape: [3, 5, 7], maxBindingBytes: undefined },
    { count: 9, shape: [3, 4, 4, 4], maxBindingBytes: undefined },
    { count: 4, shape: [3, 4, 4, 4], maxBindingBytes: 256 },
  ])(
    "of $count tensors $shape is their sum, and dy the gradient of each",
    async ({ count, shape, maxBindingBytes }) => {
      const inputs = Array.from({ length: count }, (_, i) => randomInput(shape, i));
      const { data: dy } = randomInput(shape, 99);
      const actual = await runOp(gpu(), (...x) => addN(x), inputs, dy, { maxBindingBytes });
      const sum = dy.map((_, at) => inputs.reduce((total, { data }) => total + data[at], 0));
      expectClose(actual.y, sum, 1e-6);
      for (const gradient of actual.gradients) expect(gradient).toEqual(dy);
    },
  );

  it("takes as many at once as can be bound", () => {
    const dispatches = (count: number, maxStorageBuffers: number): number => {
      const graph = new LimitedGraph(maxStorageBuffers);
      const y = addN(Array.from({ length: count }, (_, i) => graph.input(`x${i}`, [2, 3])));
      return plan({ outputs: { y } }, paperTarget).summary.dispatches;
    };
    expect(dispatches(7, 8)).toBe(1);
    expect(dispatches(8, 8)).toBe(2);
    expect(dispatches(14, 8)).toBe(2);
  });

  it("of one tensor is that tensor; of a half among others a half; shapes must agree", () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", [2, 3]), graph.input("b", [3, 2])];
    expect(addN([a])).toBe(a);
    const half: Tensor = cast(a, "f16");
    expect(addN([a, half]).dtype).toBe("f16");
    expect(() => addN([])).toThrow("addN takes at least one tensor.");
    expect(() => addN([a, b])).toThrow('addN: "a" [2, 3] and "b" [3, 2] differ in shape.');
  });
});
