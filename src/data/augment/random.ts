import type { Sample } from "../dataset.ts";
import { Random } from "../random.ts";
import { FIXED_AUGMENTATIONS } from "./fixed.ts";
import type { AugmentationOptions } from "./fixed.ts";
import { isRandom, RANDOM_AUGMENTATIONS, traitsOf } from "./registry.ts";
import type { AugmentationName } from "./registry.ts";

/**
 * Makes a new sample of one; all chance comes from `random`. May return the sample it was given. `other` is another sample of the
 * data set, for those that mix two.
 */
export interface Augmentation {
  (sample: Sample, random: Random, other?: Sample): Sample | Promise<Sample>;
  /**
   * The named augmentations that it comes to for this `random`. Worker threads can then apply them; an augmentation
   * without it is applied on the main thread.
   */
  readonly draw?: (random: Random) => AugmentationSteps;
  /** Whether it may leave pixels that do not count. */
  readonly leavesIgnored?: boolean;
}

/** Named augmentations, to be applied one after another. */
export interface AugmentationSteps {
  readonly names: readonly AugmentationName[];
  readonly options?: AugmentationOptions | undefined;
  /** Decides what those among them do that are others each time; none is there without it. */
  readonly seed?: number | undefined;
}

/** Whether some of the steps take something of another sample. */
export const isMixed = ({ names }: AugmentationSteps): boolean => names.some((name) => traitsOf(name).mixes);

/** The sample after the steps; the one given when there are none. */
export async function applySteps(
  sample: Sample,
  { names, options, seed = 0 }: AugmentationSteps,
  other = sample,
): Promise<Sample> {
  let result = sample;
  for (const [place, name] of names.entries()) {
    result = isRandom(name)
      ? await RANDOM_AUGMENTATIONS[name].apply(result, new Random(seed, place), other)
      : FIXED_AUGMENTATIONS[name](result, options);
  }
  return result;
}

/**
 * Applies each of the named augmentations, in that order, with a probability of its own: to every second sample on average
 * those that are the same each time.
 */
export function randomly(names: readonly AugmentationName[], options?: AugmentationOptions): Augmentation {
  return drawn(
    (random) => {
      const chosen = names.filter((name) => random.chance(traitsOf(name).probability));
      return {
        names: chosen,
        options,
        ...(chosen.some(isRandom) && { seed: random.integer(0, 0x7fffffff) }),
      };
    },
    names.some((name) => traitsOf(name).leavesIgnored),
  );
}

/** Mirrors every second sample on average: the augmentation of training batches by default. */
export const randomFlipLeftRight: Augmentation = randomly(["flip_left_right"]);

/** Changes nothing. */
export const noAugmentation: Augmentation = drawn(() => ({ names: [] }));

function drawn(draw: (random: Random) => AugmentationSteps, leavesIgnored = false): Augmentation {
  const augment = (sample: Sample, random: Random, other?: Sample): Promise<Sample> =>
    applySteps(sample, draw(random), other);
  return Object.assign(augment, { draw, leavesIgnored });
}
