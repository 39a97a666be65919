/** @file Sums, means and extremes over axes. Results are f32, whatever x is stored as. */
import type { Tensor } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { divide, multiply } from "./binary.ts";
import { broadcastTo, elementwise } from "./elementwise.ts";
import { reducedShape, reduction } from "./reduction.ts";
import type { ReductionOptions } from "./reduction.ts";
import { reshape } from "./reshape.ts";

/**
 * Sum of `x`, f32 or f16 of any shape, over some axes or all (`keras.ops.sum`), added up in f32: f32 `[..]` without these axes, or with
 * `keepDims` with 1 in their place. Equal numbers give equal sums.
 *
 * @throws Error when x is u32, or an axis is not one of its axes or there twice.
 */
export function sum(x: Tensor, options: ReductionOptions = {}): Tensor<"f32"> {
  const shapes = reducedShape("sum", x, options);
  return reduction("sum", x, "sum", shapes, ([dy]) => [
    () => broadcastTo(reshape(dy!, shapes.kept), x.shape, x.dtype),
  ]);
}

/** Mean over some axes or all (`keras.ops.mean`); see {@link sum}. */
export function mean(x: Tensor, options: ReductionOptions = {}): Tensor<"f32"> {
  const shapes = reducedShape("mean", x, options);
  const factor = sizeOf(shapes.kept) / sizeOf(x.shape);
  const { shape, dtype } = x;
  return reduction(
    "mean",
    x,
    "sum",
    shapes,
    ([dy]) => [
      () =>
        elementwise("mean_gradient", "a * b", { a: reshape(dy!, shapes.kept), b: factor }, { shape, dtype }),
    ],
    factor,
  );
}

/** Largest number over some axes or all (`keras.ops.max`); those that are it have equal shares of the gradient. See {@link sum}. */
export function max(x: Tensor, options: ReductionOptions = {}): Tensor<"f32"> {
  return extreme("max", x, options);
}

/** Smallest number over some axes or all (`keras.ops.min`); see {@link max}. */
export function min(x: Tensor, options: ReductionOptions = {}): Tensor<"f32"> {
  return extreme("min", x, options);
}

function extreme(kind: "max" | "min", x: Tensor, options: ReductionOptions): Tensor<"f32"> {
  const shapes = reducedShape(kind, x, options);
  return reduction(kind, x, kind, shapes, ([dy], [y]) => [
    () => {
      const isIt = cast(equal(x, reshape(y, shapes.kept)), "f32");
      const share = divide(reshape(dy!, shapes.kept), sum(isIt, { ...options, keepDims: true }));
      return cast(multiply(isIt, share), x.dtype as "f32" | "f16");
    },
  ]);
}
