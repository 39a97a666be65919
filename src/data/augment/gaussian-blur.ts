import type { Size } from "../resize.ts";
import type { RandomAugmentation, Range } from "./random-augmentation.ts";

/**
 * `torchvision.transforms.functional.gaussian_blur`: a separable kernel of `2 · radius + 1` taps of exp(−½ (i / σ)²), normalized;
 * borders are reflected.
 *
 * @param values `[height, width, channels]`
 * @param sigma in pixels.
 */
export function gaussianBlur(
  values: Float32Array,
  { height, width }: Size,
  sigma: number,
  radius = Math.ceil(3 * sigma),
): Float32Array<ArrayBuffer> {
  const channels = values.length / (height * width);
  const taps = gaussianTaps(sigma, radius);
  const stride = width * channels;
  const across = new Float32Array(values.length);
  const padded = new Float32Array(stride + 2 * radius * channels);
  for (let row = 0; row < height; row++) {
    const begin = row * stride;
    for (let column = -radius; column < width + radius; column++) {
      const from = begin + reflected(column, width) * channels;
      for (let c = 0; c < channels; c++) padded[(column + radius) * channels + c] = values[from + c];
    }
    for (let i = 0; i < stride; i++) {
      let sum = 0;
      for (let tap = 0, from = i; tap < taps.length; tap++, from += channels) sum += taps[tap] * padded[from];
      across[begin + i] = sum;
    }
  }
  const result = new Float32Array(values.length);
  const sums = new Float64Array(stride);
  for (let row = 0; row < height; row++) {
    sums.fill(0);
    for (let tap = 0; tap < taps.length; tap++) {
      const weight = taps[tap];
      const from = reflected(row + tap - radius, height) * stride;
      for (let i = 0; i < stride; i++) sums[i] += weight * across[from + i];
    }
    result.set(sums, row * stride);
  }
  return result;
}

function gaussianTaps(sigma: number, radius: number): Float64Array {
  const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** The place within 0 … size − 1 that is seen there when the borders are mirrors in the middle of the outermost pixels. */
function reflected(place: number, size: number): number {
  const period = Math.max(1, 2 * (size - 1));
  const within = ((place % period) + period) % period;
  return within < size ? within : period - within;
}

/** Pixels; torchvision's `GaussianBlur`'s default. */
const SIGMA: Range = [0.1, 2];

/** A photo out of focus. The mask stays. */
export const blur: RandomAugmentation = {
  probability: 0.2,
  apply: (sample, random) => ({
    ...sample,
    image: gaussianBlur(sample.image, sample, random.uniform(...SIGMA)),
  }),
};
