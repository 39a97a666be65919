import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { globalNorm } from "../../../src/graph/ops/global-norm.ts";
import { expectClose } from "../../helpers/close.ts";
import { finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("the gradient of globalNorm", () => {
  const gpu = useGpu();
  const inputs = [[3, 5, 7], [], [6, 130]].map((shape, i) => randomInput(shape, i));
  const dy = Float32Array.of(-0.7);
  const norm = (...tensors: tf.Tensor[]): tf.Tensor =>
    tf.sqrt(tf.addN(tensors.map((x) => tf.sum(tf.square(x)))));

  it("is tfjs's, whole and in pieces", async () => {
    const expected = tfjsReference(norm, inputs, dy);
    for (const maxBindingBytes of [undefined, 4 * 2 * 130]) {
      const actual = await runOp(gpu(), (...x) => globalNorm(x), inputs, dy, { maxBindingBytes });
      expectClose(actual.y, expected.y);
      actual.gradients.forEach((gradient, i) => expectClose(gradient, expected.gradients[i]));
    }
  });

  it("is that of finite differences", async () => {
    const small = [[2, 3], [4]].map((shape, i) => randomInput(shape, i));
    const { gradients } = await runOp(gpu(), (...x) => globalNorm(x), small, dy);
    const expected = finiteDifferences(
      (moved) => dy[0] * Math.hypot(...moved.flatMap((values) => [...values])),
      small.map(({ data }) => data),
    );
    gradients.forEach((gradient, i) => expectClose(gradient, expected[i]));
  });

  it("is 0 where everything is 0", async () => {
    const zero = { shape: [2, 3], data: new Float32Array(6) };
    const { gradients } = await runOp(gpu(), (x) => globalNorm([x]), [zero], dy);
    expect(gradients).toEqual([new Float32Array(6)]);
  });
});
