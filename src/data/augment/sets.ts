import { FIXED_NAMES, RANDOM_NAMES } from "./registry.ts";
import type { AugmentationName } from "./registry.ts";

/**
 * Names for several augmentations: those of the tutorial, and everything that helps a network which has seen all its photos.
 * Photos are mixed before they are moved, and moved before their pixels change, as ClassMix's authors do it.
 */
export const AUGMENTATION_SETS = {
  article: FIXED_NAMES.filter((name) => name !== "rot90"),
  strong: ["flip_left_right", ...RANDOM_NAMES],
} as const satisfies Record<string, readonly AugmentationName[]>;

export type AugmentationSetName = keyof typeof AUGMENTATION_SETS;
export const AUGMENTATION_SET_NAMES = Object.keys(AUGMENTATION_SETS) as AugmentationSetName[];
