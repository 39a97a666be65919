import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { activation } from "../../../src/graph/ops/activation.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import type { ActivationKind } from "../../../src/kernels/text/activation.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
const geluTanh = (x: tf.Tensor): tf.Tensor => {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
};

const THEIRS: Readonly<Record<Exclude<ActivationKind, "linear">, (x: tf.Tensor) => tf.Tensor>> = {
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(x),
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  softplus: (x) => tf.softplus(x),
  gelu,
  gelu_tanh: geluTanh,
  hard_swish: (x) => tf.div(tf.mul(x, tf.relu6(tf.add(x, 3))), 6),
};
type Kind = keyof typeof THEIRS;

describe.each(Object.keys(THEIRS) as Kind[])("%s", (kind) => {
  const gpu = useGpu();

  it.each<{ shape: Shape; maxBindingBytes?: number }>([
    { shape: [3, 7, 5] },
    { shape: [3, 4, 4, 4] },
    { shape: [3, 4, 4, 4], maxBindingBytes: 256 },
  ])(
    "of $shape equals tfjs, forward and gradient, in bindings of $maxBindingBytes bytes",
    async ({ shape, maxBindingBytes }) => {
      const input = randomInput(shape, 1);
      // Beyond the corners at ±3 and 6 too.
      input.data.forEach((value, i) => (input.data[i] = 4 * value));
      const { data: dy } = randomInput(shape, 2);
      const reference = tfjsReference(THEIRS[kind], [input], dy);
      const actual = await runOp(gpu(), (x) => activation(x, kind), [input], dy, { maxBindingBytes });
      expectClose(actual.y, reference.y);
      expectClose(actual.gradients[0], reference.gradients[0]);
    },
  );
});

it("linear is x itself, and relu the activation of that name", () => {
  const x = new Graph().input("x", [2, 3]);
  expect(activation(x, "linear")).toBe(x);
  expect(relu(x).node!.op.name).toBe("relu");
});
