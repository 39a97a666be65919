import { normals } from "./numbers.ts";
import type { RandomAugmentation, Range } from "./random-augmentation.ts";

/**
 * `torchvision.transforms.v2.functional.gaussian_noise` with mean 0: adds `sigma · noise` to every value and clips to [0, 1].
 *
 * @param image `[height, width, 3]` in [0, 1].
 * @param noise as many numbers of the standard normal distribution.
 */
export const addNoise = (
  image: Float32Array,
  noise: Float32Array,
  sigma: number,
): Float32Array<ArrayBuffer> => noise.map((value, i) => Math.min(1, Math.max(0, image[i] + sigma * value)));

/** Of 1: a bright phone photo to one taken in the dark. */
const SIGMA: Range = [0.01, 0.08];

/** A sensor's noise. The mask stays. */
export const noise: RandomAugmentation = {
  probability: 0.2,
  apply: (sample, random) => {
    const sigma = random.uniform(...SIGMA);
    const numbers = normals(random.integer(0, 0x7fffffff), sample.image.length);
    return { ...sample, image: addNoise(sample.image, numbers, sigma) };
  },
};
