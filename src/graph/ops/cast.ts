import { castForward } from "../../kernels/cast.ts";
import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";

/**
 * `x`, any shape, stored as `dtype` (`tf.cast`); x itself where it is that already. What is computed of an f16 tensor is
 * computed in f32 and stored as f16 again, but for what is said to be f32: losses, statistics, gradients of variables.
 * Numbers beyond ±65504 become infinite.
 *
 * @throws Error when x is not a tensor of floats.
 */
export function cast<D extends "f32" | "f16">(x: Tensor, dtype: D): Tensor<D> {
  if (x.dtype === dtype) return x as Tensor<D>;
  if (x.dtype === "u32") throw new Error(`cast takes f32 or f16; "${x.name}" is u32 ${shapeText(x.shape)}.`);
  const { dtype: before } = x;
  return x.graph.apply(
    {
      name: "cast",
      family: "copy",
      outputs: [{ shape: x.shape, dtype }],
      lower: (l, [y]) => lowerElementwise(l, castForward, { x, y }),
      gradient: ([dy]) => [() => cast(dy!, before)],
    },
    [x],
  ).outputs[0];
}
