import type { Sample } from "../dataset.ts";
import type { Random } from "../random.ts";
import type { Size } from "../resize.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";
import { positions, warp } from "./warp.ts";

/** What an affine map does to a photo, around its middle. */
export interface AffineParameters {
  /** Degrees, clockwise. */
  readonly angle: number;
  /** Pixels to the right and down. */
  readonly translate: readonly [number, number];
  readonly scale: number;
  /** Degrees along x and y. */
  readonly shear: readonly [number, number];
}

/**
 * `torchvision.transforms.functional.affine` of photo (bilinear) and mask (nearest): shear, then rotation and scale around the
 * middle, then translation. What comes in from beyond is black, and of no class.
 */
export function transformAffine(sample: Sample, parameters: AffineParameters): Sample {
  const { height, width } = sample;
  const [a, b, c, d, e, f] = inverseMatrix(parameters);
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const { x, y } = positions(sample);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to++) {
      const [right, down] = [column - middleX, row - middleY];
      x[to] = a * right + b * down + c + middleX;
      y[to] = d * right + e * down + f + middleY;
    }
  }
  return warp(sample, { x, y });
}

/** torchvision's `_get_inverse_affine_matrix`, two rows of three, around the origin: from the result to the source. */
function inverseMatrix({ angle, translate: [tx, ty], scale, shear }: AffineParameters): number[] {
  const [turn, shearX, shearY] = [angle, ...shear].map((degrees) => (degrees * Math.PI) / 180);
  const along = Math.cos(turn - shearY) / Math.cos(shearY);
  const across = Math.sin(turn - shearY) / Math.cos(shearY);
  const a = (Math.cos(turn) - across * Math.tan(shearX)) / scale;
  const b = (Math.sin(turn) + along * Math.tan(shearX)) / scale;
  const [d, e] = [-across / scale, along / scale];
  return [a, b, -a * tx - b * ty, d, e, -d * tx - e * ty];
}

/** Degrees either way, the share of the side, the least and the largest scale, degrees either way along x and y. */
const [DEGREES, TRANSLATE, SCALE, SHEAR] = [15, 0.1, [0.8, 1.25], 8] as const;

/** As torchvision's `RandomAffine` draws it, but that the scale is as often s as 1/s and a translation need not be whole. */
export function drawAffine(random: Random, { height, width }: Size): AffineParameters {
  const either = (most: number): number => random.uniform(-most, most);
  return {
    angle: either(DEGREES),
    translate: [either(TRANSLATE * width), either(TRANSLATE * height)],
    scale: Math.exp(random.uniform(Math.log(SCALE[0]), Math.log(SCALE[1]))),
    shear: [either(SHEAR), either(SHEAR)],
  };
}

/** Rotation, translation, scale and shear at once. */
export const affine: RandomAugmentation = {
  probability: 0.5,
  leavesIgnored: true,
  apply: (sample, random) => transformAffine(sample, drawAffine(random, sample)),
};
