import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { dense } from "../../../src/graph/ops/dense.ts";
import { matmul } from "../../../src/graph/ops/matmul.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("dense", () => {
  const gpu = useGpu();

  it.each([
    [4, 1024, 1000],
    [1, 7, 59],
    [3, 5, 1],
    [70, 64, 3],
  ])("equals tfjs: %i rows of %i to %i", async (rows, inner, columns) => {
    const inputs = [[rows, inner], [inner, columns], [columns]].map((shape, i) => randomInput(shape, i));
    const dy = randomInput([rows * columns], 9).data;
    const theirs = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) => tf.add(tf.matMul(x, kernel), bias);
    const reference = tfjsReference((...[x, kernel, bias]) => theirs(x, kernel, bias), inputs, dy);
    const result = await runOp(gpu(), dense, inputs, dy);
    expectClose(result.y, reference.y);
    reference.gradients.forEach((gradient, i) => expectClose(result.gradients[i], gradient));
  });

  it("is the same in workgroup tiles, and when the batch is cut", async () => {
    const inputs = [[24, 64], [64, 5], [5]].map((shape, i) => randomInput(shape, i));
    const dy = randomInput([24 * 5], 9).data;
    const whole = await runOp(gpu(), dense, inputs, dy);
    for (const options of [{ family: "workgroup" }, { maxBindingBytes: 8 * 64 * 4 }] as const) {
      const result = await runOp(gpu(), dense, inputs, dy, options);
      expectClose(result.y, whole.y);
      whole.gradients.forEach((gradient, i) => expectClose(result.gradients[i], gradient!));
    }
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3]);
    const bias = graph.input("bias", [5]);
    expect(() => dense(x, graph.input("kernel", [4, 5]), bias)).toThrow(
      'dense: "x" [2, 3] and the kernel "kernel" [4, 5] do not fit',
    );
    expect(() => dense(x, graph.input("narrow", [3, 4]), bias)).toThrow();
  });
});

describe("matmul", () => {
  const gpu = useGpu();

  it("equals tfjs with either factor transposed, forward and both gradients", async () => {
    const extent = fc.integer({ min: 1, max: 20 });
    const cases = [extent, extent, extent, fc.boolean(), fc.boolean(), fc.nat(1000)] as const;
    await fc.assert(
      fc.asyncProperty(...cases, async (rows, inner, columns, transposeA, transposeB, seed) => {
        const inputs = [
          randomInput(transposeA ? [inner, rows] : [rows, inner], seed),
          randomInput(transposeB ? [columns, inner] : [inner, columns], seed + 1),
        ];
        const dy = randomInput([rows * columns], seed + 2).data;
        const reference = tfjsReference((a, b) => tf.matMul(a, b, transposeA, transposeB), inputs, dy);
        const result = await runOp(gpu(), (a, b) => matmul(a, b, { transposeA, transposeB }), inputs, dy);
        expectClose(result.y, reference.y);
        reference.gradients.forEach((gradient, i) => expectClose(result.gradients[i], gradient));
      }),
      compiledCases(20),
    );
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const a = graph.input("a", [2, 3]);
    expect(() => matmul(a, graph.input("b", [2, 3]))).toThrow('"a" [2, 3] and "b" [2, 3] do not fit');
    expect(() => matmul(a, graph.input("c", [4, 2]), { transposeB: true })).toThrow('"c" [4, 2] transposed');
  });
});
