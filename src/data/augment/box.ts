import type { Random } from "../random.ts";
import type { Size } from "../resize.ts";
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
 * @param size the photo's.
 */
export function drawBox(random: Random, size: Size, area: Range, aspect: Range): Box | undefined {
  for (let tried = 0; tried < TRIES; tried++) {
    const pixels = size.height * size.width * random.uniform(...area);
    const ratio = Math.exp(random.uniform(Math.log(aspect[0]), Math.log(aspect[1])));
    const [width, height] = [Math.round(Math.sqrt(pixels * ratio)), Math.round(Math.sqrt(pixels / ratio))];
    if (width < 1 || height < 1 || width > size.width || height > size.height) continue;
    return {
      left: random.integer(0, size.width - width),
      top: random.integer(0, size.height - height),
      ...{ width, height },
    };
  }
  return undefined;
}

/** `pixels` (`[height, across, channels]`) within a box. */
export function window<Pixels extends Float32Array | Uint8Array>(
  pixels: Pixels,
  across: number,
  { left, top, width, height }: Box,
  channels: number,
): Pixels {
  const kept = pixels.slice(0, width * height * channels) as Pixels;
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * across + left) * channels;
    kept.set(pixels.subarray(from, from + width * channels), row * width * channels);
  }
  return kept;
}
