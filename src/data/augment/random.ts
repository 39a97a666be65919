import type { Sample } from "../dataset.ts";
import type { Random } from "../random.ts";
import { AUGMENTATIONS } from "./registry.ts";
import type { AugmentationName, AugmentationOptions } from "./registry.ts";

/** Makes a new sample of one; all chance comes from `random`. May return the sample it was given. */
export type Augmentation = (sample: Sample, random: Random) => Sample;

/** Applies each of the named augmentations, in that order, to every second sample on average. */
export function randomly(names: readonly AugmentationName[], options?: AugmentationOptions): Augmentation {
  return (sample, random) =>
    names.reduce(
      (result, name) => (random.chance(0.5) ? AUGMENTATIONS[name](result, options) : result),
      sample,
    );
}

/** Mirrors every second sample on average: the augmentation of training batches unless told otherwise. */
export const randomFlipLeftRight: Augmentation = randomly(["flip_left_right"]);

/** Changes nothing. */
export const noAugmentation: Augmentation = (sample) => sample;
