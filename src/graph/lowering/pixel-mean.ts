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
  lowerPixelMeans(l, { y }, batch, pixelsPerItem, ranges, ({ y: values }, range) => fill(values, range));
}

/**
 * Several of {@link lowerPixelMean} at once, of values that one kernel makes; `fill` gets a buffer for each, by name. With
 * `counts`, of the means' shape, the sum of the values is divided by these instead of by the number of pixels.
 */
export function lowerPixelMeans(
  l: Lowering,
  means: Readonly<Record<string, Tensor>>,
  batch: number,
  pixelsPerItem: number,
  ranges: readonly BatchRange[],
  fill: (values: Record<string, Scratch>, range: BatchRange) => void,
  counts?: Tensor,
): void {
  const sums = Object.entries(means).map(([name, mean]) => {
    const scalar = mean.shape.length === 0;
    return { name, mean, perItem: scalar ? l.scratch(4 * batch) : mean };
  });
  for (const range of ranges) {
    const bytes = 4 * range.count * pixelsPerItem;
    const values = Object.fromEntries(sums.map(({ name }) => [name, l.scratch(bytes)]));
    fill(values, range);
    for (const { name, perItem } of sums) {
      const divided = counts
        ? { counts: "scratch" in perItem ? undefined : counts }
        : { scale: 1 / pixelsPerItem };
      lowerSum(l, values[name], range.count, pixelsPerItem, perItem, { begin: range.first, ...divided });
    }
  }
  for (const { mean, perItem } of sums) {
    if ("scratch" in perItem)
      lowerSum(l, perItem, 1, batch, mean, counts ? { counts } : { scale: 1 / batch });
  }
}
