import type { Sample } from "../dataset.ts";
import { drawBox } from "./box.ts";
import type { Box } from "./box.ts";
import type { RandomAugmentation, Range } from "./random-augmentation.ts";

/** The photo with nothing in the box, as torchvision's `functional.erase` with 0 leaves it. */
export function erase(
  { image, width: across }: Pick<Sample, "image" | "width">,
  { left, top, width, height }: Box,
): Float32Array {
  const erased = Float32Array.from(image);
  for (let row = top; row < top + height; row++) {
    erased.fill(0, 3 * (row * across + left), 3 * (row * across + left + width));
  }
  return erased;
}

/** The share of the photo's pixels and the width over the height: as in torchvision's `RandomErasing`, but at most a fifth. */
const AREA: Range = [0.02, 0.2];
const ASPECT: Range = [1 / 3.3, 1 / 0.3];

/**
 * A black box (Cutout, DeVries and Taylor 2017; Random Erasing, Zhong and others 2017). The mask stays, as in mmsegmentation's
 * `RandomCutOut`, albumentations' `CoarseDropout` and torchvision's `RandomErasing` unless told otherwise: what is behind the box is to be
 * told from what is around it. To leave the box out of the loss (French and others, "Semi-supervised semantic segmentation needs
 * strong, varied perturbations", 2020) is for labels that a network made itself.
 */
export const cutout: RandomAugmentation = {
  probability: 0.2,
  apply: (sample, random) => {
    const box = drawBox(random, sample, AREA, ASPECT);
    return box === undefined ? sample : { ...sample, image: erase(sample, box) };
  },
};
