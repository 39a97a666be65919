import type { Sample } from "./dataset.ts";
import type { Random } from "./random.ts";

/** Makes a new sample of one; all chance comes from `random`. May return the sample it was given. */
export type Augmentation = (sample: Sample, random: Random) => Sample;

/** Mirrors photo and mask left to right. */
export function flipLeftRight(sample: Sample): Sample {
  const size = Math.sqrt(sample.mask.length);
  const image = new Float32Array(sample.image.length);
  const mask = new Uint8Array(sample.mask.length);
  for (let row = 0; row < mask.length; row += size) {
    for (let x = 0; x < size; x++) {
      const to = row + x;
      const from = row + size - 1 - x;
      mask[to] = sample.mask[from]!;
      for (let c = 0; c < 3; c++) image[3 * to + c] = sample.image[3 * from + c]!;
    }
  }
  return { image, mask };
}

/** Mirrors every second sample on average: the augmentation of training batches unless told otherwise. */
export const randomFlipLeftRight: Augmentation = (sample, random) =>
  random.chance(0.5) ? flipLeftRight(sample) : sample;

/** Changes nothing. */
export const noAugmentation: Augmentation = (sample) => sample;
