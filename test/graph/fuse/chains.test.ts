import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { divide, maximum, multiply, subtract } from "../../../src/graph/ops/binary.ts";
import { fill } from "../../../src/graph/ops/fill.ts";
import { matmul } from "../../../src/graph/ops/matmul.ts";
import { mean, sum, max } from "../../../src/graph/ops/reduce.ts";
import { exp, rsqrt, sigmoid, square, tanh } from "../../../src/graph/ops/unary.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { paperTarget } from "../../helpers/target.ts";

const dispatches = (outputs: Record<string, Tensor>, fuse = true): number =>
  plan({ outputs, fuse }, paperTarget).summary.dispatches;

/** Eight functions one after the other. */
const eight = (x: Tensor, other: Tensor): Tensor =>
  tanh(add(multiply(sigmoid(subtract(square(multiply(x, 0.5)), 1)), other), add(x, 2)));

function inputs(...shapes: readonly Shape[]): Tensor[] {
  const graph = new Graph();
  return shapes.map((shape, i) => graph.input(`x${i}`, shape));
}

describe("chains of elementwise ops", () => {
  it("of eight are one dispatch, and so is their gradient", () => {
    const [x, other] = inputs([4, 8], [4, 8]);
    const y = eight(x, other);
    expect(dispatches({ y }, false)).toBe(8);
    expect(dispatches({ y })).toBe(1);
    const loss = sum(y);
    const [dx] = gradients(loss, [x]).values();
    expect(dispatches({ dx })).toBe(1);
    expect(dispatches({ loss, dx })).toBe(2);
  });

  it("keep what the caller or a product reads", () => {
    const [x, w] = inputs([4, 8], [8, 8]);
    const middle = tanh(add(x, 1));
    expect(dispatches({ y: square(exp(middle)), middle })).toBe(2);
    expect(dispatches({ y: add(matmul(middle, w), middle) })).toBe(dispatches({ y: matmul(middle, w) }) + 1);
  });

  it("are computed again for two readers while that is little, and not behind a broadcast of many functions", () => {
    const [x, row] = inputs([4, 8], [8]);
    const shared = tanh(add(x, 1));
    expect(dispatches({ a: square(shared), b: exp(shared) })).toBe(2);
    const scaled = multiply(x, rsqrt(add(row, 1)));
    expect(dispatches({ scaled })).toBe(1);
    let long = row;
    for (let i = 0; i < 5; i++) long = tanh(long);
    expect(dispatches({ y: multiply(x, long) })).toBe(2);
    let many = x;
    for (let i = 0; i < 20; i++) many = tanh(many);
    expect(dispatches({ a: square(many), b: exp(many) })).toBe(3);
  });

  it("bind no more than the adapter can", () => {
    const shapes = Array.from({ length: 12 }, () => [4, 8]);
    const y = inputs(...shapes).reduce((a, b) => multiply(a, b));
    expect(dispatches({ y })).toBe(2);
    for (const { bindings } of plan({ outputs: { y } }, paperTarget).dispatches)
      expect(bindings.length).toBeLessThanOrEqual(paperTarget.maxStorageBuffers);
  });

  it("take tensors of one number for that number", () => {
    const [x] = inputs([4, 8]);
    const y = multiply(x, fill(x.graph, [4, 8], 3));
    expect(dispatches({ y }, false)).toBe(2);
    expect(dispatches({ y })).toBe(1);
  });

  it("end in the reduction that reads them: a softmax is three passes, mean squared error one", () => {
    const [x, target] = inputs([4, 8], [4, 8]);
    const powers = exp(subtract(x, max(x, { axis: -1, keepDims: true })));
    expect(dispatches({ y: divide(powers, sum(powers, { axis: -1, keepDims: true })) })).toBe(3);
    const loss = mean(square(subtract(x, target)));
    expect(dispatches({ loss })).toBe(1);
    const [dx] = gradients(loss, [x]).values();
    expect(dispatches({ loss, dx })).toBe(2);
  });

  it("do not reach beyond what a dispatch may bind at once", () => {
    const [x, row] = inputs([64, 64], [64, 1]);
    const small = { ...paperTarget, maxBindingBytes: 4096 };
    const y = maximum(tanh(x), sigmoid(row));
    expect(plan({ outputs: { y } }, small).summary.dispatches).toBe(4);
  });
});
