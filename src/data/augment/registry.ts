import type { Sample } from "../dataset.ts";
import { adjustBrightness, adjustGamma, adjustHue } from "./colour.ts";
import { centralCrop, flipLeftRight, flipUpDown, rot90 } from "./geometry.ts";
import type { MaskInterpolation } from "./geometry.ts";

/** How strong each augmentation is. The tutorial's values by default, but for `maskInterpolation`. */
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

/** All augmentations by name, each from a sample to a new one; "original" gives the sample back. */
export const AUGMENTATIONS = {
  original: (sample) => sample,
  brightness: ({ image, mask }, { brightness = 0.1 } = {}) => ({
    image: adjustBrightness(image, brightness),
    mask,
  }),
  gamma: ({ image, mask }, { gamma = 0.1 } = {}) => ({ image: adjustGamma(image, gamma), mask }),
  hue: ({ image, mask }, { hue = -0.1 } = {}) => ({ image: adjustHue(image, hue), mask }),
  crop: (sample, { crop = 0.7, maskInterpolation } = {}) => centralCrop(sample, crop, maskInterpolation),
  flip_left_right: (sample) => flipLeftRight(sample),
  flip_up_down: (sample) => flipUpDown(sample),
  rot90: (sample) => rot90(sample),
} as const satisfies Record<string, (sample: Sample, options?: AugmentationOptions) => Sample>;

export type AugmentationName = keyof typeof AUGMENTATIONS;

/** In the tutorial's order; it makes no copy for the last, "rot90". */
export const AUGMENTATION_NAMES = Object.keys(AUGMENTATIONS) as AugmentationName[];
