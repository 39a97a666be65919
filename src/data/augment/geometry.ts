import { DataError } from "../data-error.ts";
import type { Sample } from "../dataset.ts";
import { resizeBilinear, resizeNearest } from "../resize.ts";
import type { Size } from "../resize.ts";
import { window } from "./box.ts";

/**
 * How masks are resized. "nearest" keeps to the mask's own classes; "bilinear" interpolates class numbers and
 * truncates them, which invents classes along edges.
 */
export type MaskInterpolation = "nearest" | "bilinear";

/** `tf.image.flip_left_right` of photo and mask. */
export function flipLeftRight(sample: Sample): Sample {
  const { width } = sample;
  return rearranged(sample, { first: width - 1, down: width, right: -1 });
}

/** `tf.image.flip_up_down` of photo and mask. */
export function flipUpDown(sample: Sample): Sample {
  const { height, width } = sample;
  return rearranged(sample, { first: (height - 1) * width, down: -width, right: 1 });
}

/** `tf.image.rot90` of photo and mask: a quarter turn counter-clockwise; a rectangle's height becomes its width. */
export function rot90(sample: Sample): Sample {
  const { height, width } = sample;
  return rearranged(sample, { height: width, width: height, first: width - 1, down: -1, right: width });
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
  const { height, width } = sample;
  const [top, left] = [height, width].map((side) => Math.trunc((side - side * fraction) / 2));
  if (top === 0 && left === 0) return sample;
  const box = { top, left, height: height - 2 * top, width: width - 2 * left };
  const image = window(sample.image, width, box, 3);
  const mask = window(sample.mask, width, box, 1);
  return {
    ...{ height, width },
    image: resizeBilinear(image, box, 3, sample),
    mask:
      maskInterpolation === "nearest"
        ? resizeNearest(mask, box, sample)
        : Uint8Array.from(resizeBilinear(mask, box, 1, sample)),
  };
}

/** The sample, of another size perhaps, whose pixel (y, x) is pixel `first + y · down + x · right` of the given one, counted row by row. */
function rearranged(
  sample: Sample,
  { first, down, right, height = sample.height, width = sample.width }: Walk & Partial<Size>,
): Sample {
  const image = new Float32Array(sample.image.length);
  const mask = new Uint8Array(sample.mask.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0, from = first + y * down; x < width; x++, to++, from += right) {
      mask[to] = sample.mask[from];
      image[3 * to] = sample.image[3 * from];
      image[3 * to + 1] = sample.image[3 * from + 1];
      image[3 * to + 2] = sample.image[3 * from + 2];
    }
  }
  return { height, width, image, mask };
}

interface Walk {
  readonly first: number;
  readonly down: number;
  readonly right: number;
}
