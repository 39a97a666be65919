import { affine } from "./affine.ts";
import { classmix } from "./classmix.ts";
import { colorJitter } from "./color-jitter.ts";
import { cutmix } from "./cutmix.ts";
import { cutout } from "./cutout.ts";
import { elastic } from "./elastic.ts";
import { FIXED_AUGMENTATIONS } from "./fixed.ts";
import type { FixedName } from "./fixed.ts";
import { blur } from "./gaussian-blur.ts";
import { noise } from "./gaussian-noise.ts";
import { gridDistortion } from "./grid-distortion.ts";
import { jpeg } from "./jpeg.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";
import { randomResizedCrop } from "./random-resized-crop.ts";

/** The augmentations that are others each time, by name. */
export const RANDOM_AUGMENTATIONS = {
  classmix,
  cutmix,
  affine,
  random_resized_crop: randomResizedCrop,
  elastic,
  grid_distortion: gridDistortion,
  color_jitter: colorJitter,
  gaussian_blur: blur,
  gaussian_noise: noise,
  jpeg,
  cutout,
} as const satisfies Record<string, RandomAugmentation>;

export type RandomName = keyof typeof RANDOM_AUGMENTATIONS;
export type AugmentationName = FixedName | RandomName;

/** In the tutorial's order; it makes no copy for the last, "rot90". */
export const FIXED_NAMES = Object.keys(FIXED_AUGMENTATIONS) as FixedName[];
export const RANDOM_NAMES = Object.keys(RANDOM_AUGMENTATIONS) as RandomName[];
export const AUGMENTATION_NAMES: readonly AugmentationName[] = [...FIXED_NAMES, ...RANDOM_NAMES];

/** Whether it is another one each time. */
export const isRandom = (name: AugmentationName): name is RandomName =>
  Object.hasOwn(RANDOM_AUGMENTATIONS, name);

/** What is known of an augmentation; of those that are the same each time, that they are applied every second time. */
export const traitsOf = (name: AugmentationName): Omit<RandomAugmentation, "apply"> =>
  isRandom(name) ? RANDOM_AUGMENTATIONS[name] : { probability: 0.5 };
