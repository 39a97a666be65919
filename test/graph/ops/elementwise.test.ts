import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { maximum, multiply, power } from "../../../src/graph/ops/binary.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { less, where } from "../../../src/graph/ops/compare.ts";
import { max, mean, sum } from "../../../src/graph/ops/reduce.ts";
import { exp, floor, gelu, softplus, tanh } from "../../../src/graph/ops/unary.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";

describe("elementwise ops", () => {
  const gpu = useGpu();

  it("take powers of negative numbers, of 0 and to 0", async () => {
    const a = Float32Array.of(-2, -2, -1.5, 0, 0, 3, -2);
    const b = Float32Array.of(3, 2, -1, 0, 2, 0, 0.5);
    const { y } = await runOp(
      gpu(),
      power,
      [
        { shape: [7], data: a },
        { shape: [7], data: b },
      ],
      new Float32Array(7),
    );
    expectClose(y.subarray(0, 6), [-8, 4, -1 / 1.5, 1, 0, 1]);
    expect(y[6]).toBeNaN();
  });

  it("stay finite far out, and so do their gradients", async () => {
    const data = Float32Array.of(-1e4, -100, 0, 100, 1e4);
    const dy = new Float32Array(5).fill(1);
    const expected = [
      [tanh, [-1, -1, 0, 1, 1], [0, 0, 1, 0, 0]],
      [softplus, [0, 0, Math.LN2, 100, 1e4], [0, 0, 0.5, 1, 1]],
      [gelu, [0, 0, 0, 100, 1e4], [0, 0, 0.5, 1, 1]],
    ] as const;
    for (const [op, ys, slopes] of expected) {
      const { y, gradients } = await runOp(gpu(), (x) => op(x), [{ shape: [5], data }], dy);
      expectClose(y, ys);
      expectClose(gradients[0], slopes);
    }
  });

  it("say which shapes do not broadcast, and what to cast", () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", [2, 3]), graph.input("b", [4])];
    const labels = graph.input("labels", [3], "u32");
    expect(() => add(a, b)).toThrow(
      'add: "a" [2, 3] and "b" [4] differ in shape and do not broadcast: counted from the last axis, extents must be equal or ' +
        "1; reshape one of them.",
    );
    expect(() => maximum(1, 2)).toThrow(
      "maximum takes a tensor and a number, or tensors, not numbers alone.",
    );
    expect(() => exp(labels)).toThrow('exp takes floats; "labels" is u32 [3]: cast it to f32 first.');
    expect(() => multiply(a, labels)).toThrow('multiply takes floats; "labels" is u32 [3]');
    expect(() => less(labels, a)).toThrow(
      'less compares u32 with u32 or whole numbers from 0, not with "a" f32 [2, 3]: cast the u32 to f32 first.',
    );
    expect(() => less(labels, -1)).toThrow("not with -1");
    expect(() => where(a, a, a)).toThrow('where takes a condition of u32; "a" is f32 [2, 3]');
    expect(() => sum(labels)).toThrow('sum takes floats; "labels" is u32 [3]: cast it to f32 first.');
    expect(() => mean(a, { axis: 2 })).toThrow(
      'mean: "a" [2, 3] cannot be reduced over [2]: name each axis once, from -2 to 1.',
    );
    expect(() => max(a, { axis: [0, -2] })).toThrow("name each axis once");
    expect(() => graph.input("none", [2, 0])).toThrow("extents are whole numbers from 1");
  });

  it("have the shapes and types of NumPy and of the larger operand", () => {
    const graph = new Graph();
    const [x, row] = [graph.input("x", [4, 1, 3]), graph.input("row", [2, 1])];
    expect(add(x, row)).toMatchObject({ shape: [4, 2, 3], dtype: "f32" });
    const half = cast(x, "f16");
    expect(add(half, row).dtype).toBe("f16");
    expect(multiply(graph.input("one", []), half)).toMatchObject({ shape: [4, 1, 3], dtype: "f16" });
    expect(less(half, 0)).toMatchObject({ shape: [4, 1, 3], dtype: "u32" });
    expect(mean(half, { axis: [0, -1] })).toMatchObject({ shape: [1], dtype: "f32" });
    expect(sum(half)).toMatchObject({ shape: [], dtype: "f32" });
    expect(max(x, { axis: -1, keepDims: true })).toMatchObject({ shape: [4, 1, 1] });
  });

  it("of steps are constants to the gradient", () => {
    const graph = new Graph();
    const x = graph.input("x", [3]);
    expect(() => gradients(sum(floor(x)), [x])).toThrow("does not depend on any of the tensors asked for");
    expect(() => gradients(sum(cast(less(x, 1), "f32")), [x])).toThrow("does not depend on any");
    expect(gradients(sum(where(less(x, 1), x, 0)), [x]).size).toBe(1);
  });
});
