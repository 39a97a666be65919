import type { Sample } from "../dataset.ts";
import { resizeBilinear, resizeNearest } from "../resize.ts";
import { drawBox } from "./box.ts";
import type { Box } from "./box.ts";
import type { RandomAugmentation, Range } from "./random-augmentation.ts";

/**
 * `torchvision.transforms.functional.resized_crop` to the sample's own size: the photo bilinearly without antialiasing, the
 * mask by the nearest pixel's middle (`NEAREST_EXACT`).
 */
export function resizedCrop({ image, mask }: Sample, box: Box): Sample {
  const size = Math.sqrt(mask.length);
  const to = { width: size, height: size };
  return {
    image: resizeBilinear(window(image, size, box, 3), box, 3, to),
    mask: resizeNearest(window(mask, size, box, 1), box, to),
  };
}

/** `pixels` (`[size, size, channels]`) within the box. */
function window<Pixels extends Float32Array | Uint8Array>(
  pixels: Pixels,
  size: number,
  { left, top, width, height }: Box,
  channels: number,
): Pixels {
  const kept = pixels.slice(0, width * height * channels) as Pixels;
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * size + left) * channels;
    kept.set(pixels.subarray(from, from + width * channels), row * width * channels);
  }
  return kept;
}

/** The share of the photo's pixels that is kept (torchvision: from 0.08, for photos of one thing), and the width over the height. */
const AREA: Range = [0.4, 1];
const ASPECT: Range = [3 / 4, 4 / 3];

/** A part of the photo, of another shape perhaps, at the photo's size; the whole where no part fits. */
export const randomResizedCrop: RandomAugmentation = {
  probability: 0.5,
  apply: (sample, random) => {
    const box = drawBox(random, Math.sqrt(sample.mask.length), AREA, ASPECT);
    return box === undefined ? sample : resizedCrop(sample, box);
  },
};
