import type { Sample } from "../dataset.ts";
import { resizeBilinear, resizeNearest } from "../resize.ts";
import { drawBox, window } from "./box.ts";
import type { Box } from "./box.ts";
import type { RandomAugmentation, Range } from "./random-augmentation.ts";

/**
 * `torchvision.transforms.functional.resized_crop` to the sample's own size: the photo bilinearly without antialiasing, the
 * mask by the nearest pixel's middle (`NEAREST_EXACT`).
 */
export function resizedCrop(sample: Sample, box: Box): Sample {
  const { image, mask, height, width } = sample;
  return {
    ...{ height, width },
    image: resizeBilinear(window(image, width, box, 3), box, 3, sample),
    mask: resizeNearest(window(mask, width, box, 1), box, sample),
  };
}

/** The share of the photo's pixels that is kept (torchvision: from 0.08, for photos of one thing), and the width over the height. */
const AREA: Range = [0.4, 1];
const ASPECT: Range = [3 / 4, 4 / 3];

/** A part of the photo, of another shape perhaps, at the photo's size; the whole where no part fits. */
export const randomResizedCrop: RandomAugmentation = {
  probability: 0.5,
  apply: (sample, random) => {
    const box = drawBox(random, sample, AREA, ASPECT);
    return box === undefined ? sample : resizedCrop(sample, box);
  },
};
