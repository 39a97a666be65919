import * as tf from "@tensorflow/tfjs-core";

/**
 * Twice the size, bilinear with half-pixel centres: 3/4 of a pixel and 1/4 of its neighbour, along either axis. It is
 * `resizeBilinear(x, size, false, true)`, whose gradient in tfjs takes no notice of half-pixel centres.
 */
export function bilinearTwice(x: tf.Tensor): tf.Tensor4D {
  return [1, 2].reduce(alongAxis, x) as tf.Tensor4D;
}

function alongAxis(x: tf.Tensor, axis: number): tf.Tensor {
  const extent = x.shape[axis];
  const large = Array.from({ length: 2 * extent }, (_, i) => i);
  const pixel = large.map((i) => i >> 1);
  const neighbour = large.map((i) => Math.min(Math.max((i >> 1) + (i % 2 === 0 ? -1 : 1), 0), extent - 1));
  const at = (indices: number[]): tf.Tensor => tf.gather(x, tf.tensor1d(indices, "int32"), axis);
  return tf.add(tf.mul(at(pixel), 0.75), tf.mul(at(neighbour), 0.25));
}
