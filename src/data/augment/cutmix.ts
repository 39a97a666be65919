import type { Size } from "../resize.ts";
import type { Box } from "./box.ts";
import { paste } from "./paste.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";

/** The box of `share` of a photo's pixels around a pixel, cut off at the borders, as torchvision's `CutMix` computes it. */
export function cutBox({ height, width }: Size, share: number, column: number, row: number): Box {
  const [across, down] = [width, height].map((side) => Math.trunc(0.5 * Math.sqrt(share) * side));
  const [left, top] = [Math.max(0, column - across), Math.max(0, row - down)];
  return {
    left,
    top,
    width: Math.min(width, column + across) - left,
    height: Math.min(height, row + down) - top,
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
    const place = (side: number): number => random.integer(0, side - 1);
    // A uniform share is that of the paper: the Beta distribution with α = 1.
    const share = random.uniform();
    const { left, top, width, height } = cutBox(sample, share, place(sample.width), place(sample.height));
    return paste(sample, other, (pixel) => {
      const [column, row] = [pixel % sample.width, Math.floor(pixel / sample.width)];
      return column >= left && column < left + width && row >= top && row < top + height;
    });
  },
};
