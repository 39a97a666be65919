import { IGNORE } from "../dataset.ts";
import type { Random } from "../random.ts";
import { paste } from "./paste.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";

/** Half of the classes of a mask, rounded up; {@link IGNORE} is none. */
export function drawClasses(mask: Uint8Array, random: Random): Set<number> {
  const classes = [...new Set(mask)].filter((label) => label !== IGNORE).sort((a, b) => a - b);
  return new Set(random.shuffled(classes).slice(0, Math.ceil(classes.length / 2)));
}

/**
 * All pixels of half of another photo's classes, cut out along the mask (Olsson and others, "ClassMix", 2021). There the labels are
 * a network's; here they are the data set's own.
 */
export const classmix: RandomAugmentation = {
  probability: 0.2,
  mixes: true,
  apply: (sample, random, other) => {
    const classes = drawClasses(other.mask, random);
    return paste(sample, other, (pixel) => classes.has(other.mask[pixel]));
  },
};
