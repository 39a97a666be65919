import type { Sample } from "../dataset.ts";
import type { Random } from "../random.ts";
import { AUGMENTATIONS } from "./registry.ts";
import type { AugmentationName, AugmentationOptions } from "./registry.ts";

/** Makes a new sample of one; all chance comes from `random`. May return the sample it was given. */
export interface Augmentation {
  (sample: Sample, random: Random): Sample;
  /**
   * The named augmentations that it comes to for this `random`. Worker threads can then apply them; an augmentation
   * without it is applied on the main thread.
   */
  readonly draw?: (random: Random) => AugmentationSteps;
}

/** Named augmentations, to be applied one after another. */
export interface AugmentationSteps {
  readonly names: readonly AugmentationName[];
  readonly options?: AugmentationOptions | undefined;
}

/** The sample after the steps; the one given when there are none. */
export function applySteps(sample: Sample, { names, options }: AugmentationSteps): Sample {
  return names.reduce((result, name) => AUGMENTATIONS[name](result, options), sample);
}

/** Applies each of the named augmentations, in that order, to every second sample on average. */
export function randomly(names: readonly AugmentationName[], options?: AugmentationOptions): Augmentation {
  return drawn((random) => ({ names: names.filter(() => random.chance(0.5)), options }));
}

/** Mirrors every second sample on average: the augmentation of training batches by default. */
export const randomFlipLeftRight: Augmentation = randomly(["flip_left_right"]);

/** Changes nothing. */
export const noAugmentation: Augmentation = drawn(() => ({ names: [] }));

function drawn(draw: (random: Random) => AugmentationSteps): Augmentation {
  return Object.assign((sample: Sample, random: Random) => applySteps(sample, draw(random)), { draw });
}
