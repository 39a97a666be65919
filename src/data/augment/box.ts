import type { Random } from "../random.ts";
import type { Range } from "./random-augmentation.ts";

/** Whole pixels of a photo: columns from `left` on, rows from `top` on. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const TRIES = 10;

/**
 * A box as torchvision's `RandomResizedCrop` and `RandomErasing` draw it: a share of the photo's area, the logarithm of width
 * over height, and a place, all uniform. Undefined where none fits in ten tries.
 *
 * @param size the photo's side, in pixels.
 */
export function drawBox(random: Random, size: number, area: Range, aspect: Range): Box | undefined {
  for (let tried = 0; tried < TRIES; tried++) {
    const pixels = size * size * random.uniform(...area);
    const ratio = Math.exp(random.uniform(Math.log(aspect[0]), Math.log(aspect[1])));
    const [width, height] = [Math.round(Math.sqrt(pixels * ratio)), Math.round(Math.sqrt(pixels / ratio))];
    if (width < 1 || height < 1 || width > size || height > size) continue;
    return { left: random.integer(0, size - width), top: random.integer(0, size - height), width, height };
  }
  return undefined;
}
