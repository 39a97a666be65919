/** @file How the product of two matrices runs: as a 1×1 convolution of images of one pixel, or one of its gradients, on the same tiles. */
import { conv2dBackwardDataFused } from "../../kernels/conv2d/backward-data.ts";
import { conv2dForwardFused } from "../../kernels/conv2d/forward.ts";
import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Lowering } from "../op.ts";
import { lowerWeights } from "./conv2d-products.ts";

/** Extents of a product: of the result `[rows, columns]`, and of what is summed over. */
export interface ProductExtents {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Which factor lies transposed in memory. */
export type Transposed = "none" | "a" | "b";

/** A 1×1 convolution of images of one pixel: `x` `[rows, inner]` by a kernel `[inner, columns]`. */
export const pointwise = ({ rows, inner, columns }: ProductExtents): Conv2dGeometry =>
  conv2dGeometry([rows, 1, 1, inner], [1, 1, inner, columns], { strides: 1, padding: "valid" });

/** The factors, the result, and what a product of which neither is transposed adds to each of its rows. */
export interface ProductTensors {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly bias?: Tensor | undefined;
  readonly y: Tensor;
}

/** `y` = `a` · `b`, cut along the rows of `a` as they lie where it is too large. */
export function lowerProduct(
  l: Lowering,
  { a, b, bias, y }: ProductTensors,
  { rows, inner, columns }: ProductExtents,
  transposed: Transposed,
): void {
  const half = a.dtype === "f16";
  if (transposed === "a") {
    const geometry = pointwise({ rows: inner, inner: rows, columns });
    lowerWeights(l, geometry, l.slices([a, b]), { half }, y, (range) => ({
      x: batchSlice(a, range),
      dy: batchSlice(b, range),
    }));
    return;
  }
  for (const range of l.slices([a, y])) {
    const [from, to] = [a, y].map((matrix) => batchSlice(matrix, range));
    if (transposed === "none") {
      const geometry = pointwise({ rows: range.count, inner, columns });
      const { kernel } = conv2dForwardFused(l.target, geometry, { half, bias: bias !== undefined });
      l.dispatch(kernel, { x: from, w: b, ...(bias && { bias }), y: to });
    } else {
      const geometry = pointwise({ rows: range.count, inner: columns, columns: inner });
      l.dispatch(conv2dBackwardDataFused(l.target, geometry, { half }).kernel, { dy: from, w: b, dx: to });
    }
  }
}
