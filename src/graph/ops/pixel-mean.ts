import type { Tensor } from "../graph.ts";
import type { BatchRange, Lowering, Scratch } from "../op.ts";
import type { Shape } from "../shape.ts";
import { lowerSum } from "./lower-sum.ts";

/** What a value a pixel is brought to: one mean over the whole batch, `[]`, or one an image, `[N]`. */
export interface PixelMeanOptions {
  /** `mean` by default; `per-image` lets a last batch that was filled up be weighed right. */
  readonly reduction?: "mean" | "per-image";
}

export const pixelMeanShape = ({ reduction = "mean" }: PixelMeanOptions, batch: number): Shape =>
  reduction === "mean" ? [] : [batch];

/**
 * Brings one f32 a pixel to `y`, a mean over the batch (`[]`) or one an image (`[N]`). For each of `ranges` `fill` says
 * how the pixels' values, `[range.count, pixelsPerItem]`, come into the buffer it is given.
 */
export function lowerPixelMean(
  l: Lowering,
  y: Tensor,
  batch: number,
  pixelsPerItem: number,
  ranges: readonly BatchRange[],
  fill: (values: Scratch, range: BatchRange) => void,
): void {
  const scalar = y.shape.length === 0;
  const means = scalar ? l.scratch(4 * batch) : y;
  for (const range of ranges) {
    const values = l.scratch(4 * range.count * pixelsPerItem);
    fill(values, range);
    lowerSum(l, values, range.count, pixelsPerItem, means, { scale: 1 / pixelsPerItem, begin: range.first });
  }
  if (scalar) lowerSum(l, means as Scratch, 1, batch, y, { scale: 1 / batch, begin: 0 });
}
