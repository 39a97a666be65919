import { IGNORE } from "../dataset.ts";
import type { Sample } from "../dataset.ts";
import { GREY, place } from "../fit.ts";
import type { Random } from "../random.ts";
import { resizeBilinear, resizeNearest } from "../resize.ts";
import type { Size } from "../resize.ts";
import type { Range } from "./random-augmentation.ts";

/** Crops of one size at a scale drawn from a range. */
export interface CropOptions {
  readonly size: Size;
  /** How many times as large as the sample the photo is from which the crop is taken. */
  readonly scale: Range;
}

/** Whether some crop reaches past the photo it is taken from. */
export const cropsReachOut = ({ size, scale: [least] }: CropOptions, { height, width }: Size): boolean =>
  Math.round(least * height) < size.height || Math.round(least * width) < size.width;

/**
 * The sample scaled, the photo bilinearly and the mask by nearest neighbour, and a crop of it at a random place, as torchvision's
 * `RandomCrop` with `pad_if_needed` takes it. Where the scaled photo is smaller than the crop it lies at a random place of
 * grey that does not count. The scale's logarithm is uniform, so that a photo is halved as often as doubled; mmsegmentation's and
 * torchvision's `RandomResize` draw the scale itself, of which three quarters of 0.5…2 enlarge.
 */
export function randomCrop(sample: Sample, { size, scale }: CropOptions, random: Random): Sample {
  const factor = Math.exp(random.uniform(Math.log(scale[0]), Math.log(scale[1])));
  const side = (length: number): number => Math.max(1, Math.round(factor * length));
  const scaled = { height: side(sample.height), width: side(sample.width) };
  const begin = (length: number, whole: number): number =>
    length > whole ? -random.integer(0, length - whole) : random.integer(0, whole - length);
  const placement = {
    scaled,
    left: begin(scaled.width, size.width),
    top: begin(scaled.height, size.height),
  };
  const pixels = size.height * size.width;
  const image = resizeBilinear(sample.image, sample, 3, scaled);
  const mask = resizeNearest(sample.mask, sample, scaled);
  return {
    ...{ height: size.height, width: size.width },
    image: place(image, 3, placement, size, new Float32Array(3 * pixels).fill(GREY)),
    mask: place(mask, 1, placement, size, new Uint8Array(pixels).fill(IGNORE)),
  };
}
