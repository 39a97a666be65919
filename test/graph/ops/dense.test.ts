import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { dense } from "../../../src/graph/ops/dense.ts";
import { expectClose } from "../../helpers/close.ts";
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
    expect(dense(graph.input("words", [2, 7, 3]), graph.input("own", [3, 5]), bias).shape).toEqual([2, 7, 5]);
    expect(() => dense(x, graph.input("narrow", [3, 4]), bias)).toThrow();
    const whole = graph.input("whole", [2, 3], "u32");
    expect(() => dense(whole, graph.input("fitting", [3, 5]), bias)).toThrow("cast it to f32 first");
  });
});
