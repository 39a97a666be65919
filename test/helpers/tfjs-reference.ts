import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
// For its side effect: it registers the gradients of tfjs-core's ops.
import "@tensorflow/tfjs-layers";
import { seededRandom } from "../../src/graph/initializers.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { Shape } from "../../src/graph/shape.ts";
import type { OpInput } from "./op.ts";

/** Normal numbers from a seed; with `levels`, rounded to that many different ones, so that many are equal. */
export function randomInput(
  shape: Shape,
  seed: number,
  { levels = 0 } = {},
): OpInput & { data: Float32Array } {
  const random = seededRandom(seed, shape.join());
  const data = Float32Array.from({ length: sizeOf(shape) }, () => {
    if (levels > 0) return Math.floor(random() * levels) - (levels - 1) / 2;
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  });
  return { shape, data };
}

/** What tfjs makes of `y = f(inputs)` on its CPU backend, and the gradients of Σ(y·dy). */
export function tfjsReference(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly OpInput[],
  dy: Float32Array,
): { y: Float32Array; shape: number[]; gradients: Float32Array[] } {
  return tf.tidy(() => {
    const tensors = inputs.map(({ shape, data }) => tf.tensor(data, [...shape]));
    const y = f(...tensors);
    const gradients = tf.grads(f)(tensors, tf.tensor(dy, y.shape));
    return {
      y: y.dataSync<"float32">().slice(),
      shape: y.shape,
      gradients: gradients.map((gradient) => gradient.dataSync<"float32">().slice()),
    };
  });
}
