/**
 * @file Windows that slide over a photo at its own resolution, as MONAI's `SlidingWindowInferer` and nnU-Net have them: evenly
 * spread, overlapping, and each counting most at its centre, where the network sees most of what is around a pixel.
 */

/**
 * Where the windows begin along an axis of `extent` pixels: the first at 0, the last ending where the axis does, the others
 * evenly between, each overlapping the next by at least the share `overlap` (0 to below 1) of its `length`. One window, at 0,
 * reaches past an axis that is shorter.
 */
export function windowStarts(extent: number, length: number, overlap: number): number[] {
  const last = extent - length;
  if (last <= 0) return [0];
  const stride = Math.max(1, Math.floor(length * (1 - overlap)));
  const steps = Math.ceil(last / stride);
  return Array.from({ length: steps + 1 }, (_, i) => Math.round((i * last) / steps));
}

/**
 * How much each of `length` pixels in a line counts: a Gaussian about the centre, of a standard deviation of an eighth of the
 * length (MONAI's `sigma_scale=0.125`, nnU-Net's `1/8`), 1 at the most.
 */
export function gaussianWeights(length: number): Float32Array {
  const [centre, deviation] = [(length - 1) / 2, length / 8];
  return Float32Array.from({ length }, (_, i) => Math.exp(-0.5 * ((i - centre) / deviation) ** 2));
}
