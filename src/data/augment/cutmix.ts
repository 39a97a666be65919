import type { Box } from "./box.ts";
import { paste } from "./paste.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";

/** The box of `share` of a photo's pixels around a pixel, cut off at the borders, as torchvision's `CutMix` computes it. */
export function cutBox(size: number, share: number, column: number, row: number): Box {
  const half = Math.trunc(0.5 * Math.sqrt(share) * size);
  const [left, top] = [Math.max(0, column - half), Math.max(0, row - half)];
  return {
    left,
    top,
    width: Math.min(size, column + half) - left,
    height: Math.min(size, row + half) - top,
  };
}

/**
 * A box of another photo and of its mask (Yun and others, "CutMix", 2019; for segmentation French and others, 2020, who paste the
 * labels as well).
 */
export const cutmix: RandomAugmentation = {
  probability: 0.2,
  mixes: true,
  apply: (sample, random, other) => {
    const size = Math.sqrt(sample.mask.length);
    const place = (): number => random.integer(0, size - 1);
    // A uniform share is that of the paper: the Beta distribution with α = 1.
    const { left, top, width, height } = cutBox(size, random.uniform(), place(), place());
    return paste(sample, other, (pixel) => {
      const [column, row] = [pixel % size, Math.floor(pixel / size)];
      return column >= left && column < left + width && row >= top && row < top + height;
    });
  },
};
