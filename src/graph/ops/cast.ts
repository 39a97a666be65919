import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import { elementwise } from "./elementwise.ts";

/**
 * `x`, any shape, stored as `dtype` (`tf.cast`); x itself where it is that already. What is computed of an f16 tensor is
 * computed in f32 and stored as f16 again, but for what is said to be f32: losses, statistics, gradients of variables.
 * Numbers beyond ±65504 become infinite in f16. Of u32, f32 is exact up to 2²⁴ and rounded beyond, and has no gradient.
 *
 * @throws Error when a u32 tensor is to become f16.
 */
export function cast<D extends "f32" | "f16">(x: Tensor, dtype: D): Tensor<D> {
  if (x.dtype === dtype) return x as Tensor<D>;
  const { name, shape, dtype: before } = x;
  if (before !== "u32")
    return elementwise("cast", "a", { a: x }, { dtype, gradient: ([dy]) => [() => cast(dy!, before)] });
  if (dtype === "f16")
    throw new Error(
      `cast makes f32 of u32, not f16; "${name}" is u32 ${shapeText(shape)}: cast it to f32 first.`,
    );
  return elementwise("cast", "T(a)", { a: x }, { dtype, gradients: {} });
}
