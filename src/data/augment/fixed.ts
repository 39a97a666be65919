import type { Sample } from "../dataset.ts";
import { adjustBrightness, adjustGamma, adjustHue } from "./colour.ts";
import { centralCrop, flipLeftRight, flipUpDown, rot90 } from "./geometry.ts";
import type { MaskInterpolation } from "./geometry.ts";

/** How strong each of the augmentations is that are the same each time. The tutorial's values by default, but for `maskInterpolation`. */
export interface AugmentationOptions {
  /** Added to every value; 0.1. */
  readonly brightness?: number;
  /** The power of every value; 0.1. */
  readonly gamma?: number;
  /** By which part of a turn the hue changes; −0.1. */
  readonly hue?: number;
  /** The share of rows and columns that a crop keeps; 0.7. */
  readonly crop?: number;
  /** How a cropped mask is resized; "nearest" (the tutorial: "bilinear"). */
  readonly maskInterpolation?: MaskInterpolation;
}

/** The augmentations that are the same each time, by name, each from a sample to a new one; "original" gives the sample back. */
export const FIXED_AUGMENTATIONS = {
  original: (sample) => sample,
  brightness: (sample, { brightness = 0.1 } = {}) => ({
    ...sample,
    image: adjustBrightness(sample.image, brightness),
  }),
  gamma: (sample, { gamma = 0.1 } = {}) => ({ ...sample, image: adjustGamma(sample.image, gamma) }),
  hue: (sample, { hue = -0.1 } = {}) => ({ ...sample, image: adjustHue(sample.image, hue) }),
  crop: (sample, { crop = 0.7, maskInterpolation } = {}) => centralCrop(sample, crop, maskInterpolation),
  flip_left_right: (sample) => flipLeftRight(sample),
  flip_up_down: (sample) => flipUpDown(sample),
  rot90: (sample) => rot90(sample),
} as const satisfies Record<string, (sample: Sample, options?: AugmentationOptions) => Sample>;

export type FixedName = keyof typeof FIXED_AUGMENTATIONS;
