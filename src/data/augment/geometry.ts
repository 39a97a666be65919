import { DataError } from "../data-error.ts";
import type { Sample } from "../dataset.ts";
import { resizeBilinear, resizeNearest } from "../resize.ts";

/**
 * How masks are resized. "nearest" keeps to the mask's own classes; "bilinear" interpolates class numbers and
 * truncates them, which invents classes along edges.
 */
export type MaskInterpolation = "nearest" | "bilinear";

/** `tf.image.flip_left_right` of photo and mask. */
export function flipLeftRight(sample: Sample): Sample {
  return rearranged(sample, (size) => ({ first: size - 1, down: size, right: -1 }));
}

/** `tf.image.flip_up_down` of photo and mask. */
export function flipUpDown(sample: Sample): Sample {
  return rearranged(sample, (size) => ({ first: (size - 1) * size, down: -size, right: 1 }));
}

/** `tf.image.rot90` of photo and mask: a quarter turn counter-clockwise. */
export function rot90(sample: Sample): Sample {
  return rearranged(sample, (size) => ({ first: size - 1, down: -1, right: size }));
}

/**
 * `tf.image.central_crop` of photo and mask, resized back to their size by `tf.image.resize` (bilinear). The
 * margin is rounded down: 0.7 of 128 pixels keeps rows and columns 19 to 108.
 * @param fraction the share of rows and of columns to keep.
 * @throws DataError for a fraction that is not above 0 and at most 1.
 */
export function centralCrop(
  sample: Sample,
  fraction: number,
  maskInterpolation: MaskInterpolation = "nearest",
): Sample {
  if (!(fraction > 0 && fraction <= 1)) {
    throw new DataError(`A central crop to ${fraction} of a photo cannot be made: give 1 or a part of 1.`);
  }
  const size = sizeOf(sample);
  const margin = Math.trunc((size - size * fraction) / 2);
  if (margin === 0) return sample;
  const [from, to] = [square(size - 2 * margin), square(size)];
  const image = window(sample.image, size, margin, 3);
  const mask = window(sample.mask, size, margin, 1);
  return {
    image: resizeBilinear(image, from, 3, to),
    mask:
      maskInterpolation === "nearest"
        ? resizeNearest(mask, from, to)
        : Uint8Array.from(resizeBilinear(mask, from, 1, to)),
  };
}

/** The sample whose pixel (y, x) is pixel `first + y · down + x · right` of the given one, counted row by row. */
function rearranged(
  sample: Sample,
  walk: (size: number) => { first: number; down: number; right: number },
): Sample {
  const size = sizeOf(sample);
  const { first, down, right } = walk(size);
  const image = new Float32Array(sample.image.length);
  const mask = new Uint8Array(sample.mask.length);
  for (let y = 0, to = 0; y < size; y++) {
    for (let x = 0, from = first + y * down; x < size; x++, to++, from += right) {
      mask[to] = sample.mask[from];
      image[3 * to] = sample.image[3 * from];
      image[3 * to + 1] = sample.image[3 * from + 1];
      image[3 * to + 2] = sample.image[3 * from + 2];
    }
  }
  return { image, mask };
}

/** `pixels` (`[size, size, channels]`) without `margin` rows and columns on each side. */
function window<Pixels extends Float32Array | Uint8Array>(
  pixels: Pixels,
  size: number,
  margin: number,
  channels: number,
): Pixels {
  const kept = size - 2 * margin;
  const result = pixels.slice(0, kept * kept * channels) as Pixels;
  for (let y = 0; y < kept; y++) {
    const from = ((y + margin) * size + margin) * channels;
    result.set(pixels.subarray(from, from + kept * channels), y * kept * channels);
  }
  return result;
}

function sizeOf(sample: Sample): number {
  return Math.sqrt(sample.mask.length);
}

function square(size: number): { width: number; height: number } {
  return { width: size, height: size };
}
