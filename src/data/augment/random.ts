import type { Sample } from "../dataset.ts";
import { Random } from "../random.ts";
import { FIXED_AUGMENTATIONS } from "./fixed.ts";
import type { AugmentationOptions } from "./fixed.ts";
import type { Size } from "../resize.ts";
import { randomCrop } from "./random-crop.ts";
import type { CropOptions } from "./random-crop.ts";
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
  /** Of what it makes; the sample's own size without. */
  readonly size?: Size | undefined;
}

/** A crop, and named augmentations, to be applied one after another. */
export interface AugmentationSteps {
  /** Taken first, of the other sample too. */
  readonly crop?: CropOptions | undefined;
  readonly names: readonly AugmentationName[];
  readonly options?: AugmentationOptions | undefined;
  /** Decides what those among them do that are others each time; none is there without it. */
  readonly seed?: number | undefined;
}

/** Tells the crop's random numbers from those of the named augmentations, which are told apart by their places. */
const CROP = -1;

/** Whether some of the steps take something of another sample. */
export const isMixed = ({ names }: Pick<AugmentationSteps, "names">): boolean =>
  names.some((name) => traitsOf(name).mixes);

/** The sample after the steps; the one given when there are none. */
export async function applySteps(
  sample: Sample,
  { crop, names, options, seed = 0 }: AugmentationSteps,
  other = sample,
): Promise<Sample> {
  const cropped = (of: Sample, which: number): Sample =>
    crop === undefined ? of : randomCrop(of, crop, new Random(seed, CROP, which));
  let result = cropped(sample, 0);
  const mixedIn = isMixed({ names }) ? cropped(other, 1) : other;
  for (const [place, name] of names.entries()) {
    result = isRandom(name)
      ? await RANDOM_AUGMENTATIONS[name].apply(result, new Random(seed, place), mixedIn)
      : FIXED_AUGMENTATIONS[name](result, options);
  }
  return result;
}

/**
 * Applies each of the named augmentations, in that order, with a probability of its own: to every second sample on average
 * those that are the same each time. Where there is `crop`, each sample is cropped first.
 *
 * @param reachesOut whether crops may reach past the photo.
 */
export function randomly(
  names: readonly AugmentationName[],
  options?: AugmentationOptions,
  { crop, reachesOut = false }: { crop?: CropOptions | undefined; reachesOut?: boolean } = {},
): Augmentation {
  const augment = drawn(
    (random) => {
      const chosen = names.filter((name) => random.chance(traitsOf(name).probability));
      return {
        names: chosen,
        options,
        ...(crop && { crop }),
        ...((crop || chosen.some(isRandom)) && { seed: random.integer(0, 0x7fffffff) }),
      };
    },
    reachesOut || names.some((name) => traitsOf(name).leavesIgnored),
  );
  return crop ? Object.assign(augment, { size: crop.size }) : augment;
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
