import type { Sample } from "../dataset.ts";
import type { Random } from "../random.ts";
import { resizeBilinear } from "../resize.ts";
import type { Size } from "../resize.ts";
import { gaussianBlur } from "./gaussian-blur.ts";
import { uniforms } from "./numbers.ts";
import type { RandomAugmentation, Range } from "./random-augmentation.ts";
import { positions, warp } from "./warp.ts";

/**
 * How far each pixel is displaced along one axis, in pixels, as torchvision's `ElasticTransform` computes it after Simard and
 * others, "Best Practices for Convolutional Neural Networks" (2003): noise, smoothed by a Gaussian of 8 σ + 1 taps (one more where that is even), times
 * α / 2 (it counts in halves of the side).
 *
 * @param noise `[height, width]` in [−1, 1).
 */
export function elasticDisplacement(
  noise: Float32Array,
  size: Size,
  alpha: number,
  sigma: number,
): Float32Array<ArrayBuffer> {
  const radius = Math.floor(Math.floor(8 * sigma + 1) / 2);
  return gaussianBlur(noise, size, sigma, radius).map((value) => (value * alpha) / 2);
}

/** Photo (bilinear) and mask (nearest), each pixel taken from as far as `dx` and `dy` say; black and of no class beyond. */
export function displace(sample: Sample, dx: Float32Array, dy: Float32Array): Sample {
  const { height, width } = sample;
  const { x, y } = positions(sample);
  for (let row = 0, pixel = 0; row < height; row++) {
    for (let column = 0; column < width; column++, pixel++) {
      x[pixel] = column + dx[pixel];
      y[pixel] = row + dy[pixel];
    }
  }
  return warp(sample, { x, y });
}

/** Noise is drawn and smoothed on a square of this side at most: it is so smooth that a larger field says nothing more. */
const FIELD = 64;
/** σ in sides of the field. */
const SIGMA = 1 / 16;
/** α in squared sides: for σ as above the displacement's standard deviation is 1.3 α / side, from 1 to 2 % of the side. */
const ALPHA: Range = [0.008, 0.016];

/**
 * Displacements along x and y, in pixels of a photo of `size`. The field is a square stretched over the photo, so that
 * a displacement is as large a share of the width as of the height.
 */
export function drawDisplacements(random: Random, size: Size): [Float32Array, Float32Array] {
  const side = Math.min(FIELD, Math.max(size.height, size.width));
  const alpha = random.uniform(...ALPHA) * side * side;
  return [drawAxis(random, size, side, alpha, size.width), drawAxis(random, size, side, alpha, size.height)];
}

function drawAxis(random: Random, size: Size, side: number, alpha: number, extent: number): Float32Array {
  const noise = uniforms(random.integer(0, 0x7fffffff), side * side, -1, 1);
  const square = { width: side, height: side };
  const field = elasticDisplacement(noise, square, alpha, SIGMA * side);
  return resizeBilinear(field, square, 1, size, extent / side);
}

/** The photo as if printed on rubber. */
export const elastic: RandomAugmentation = {
  probability: 0.2,
  leavesIgnored: true,
  apply: (sample, random) => {
    const [dx, dy] = drawDisplacements(random, sample);
    return displace(sample, dx, dy);
  },
};
