import { IGNORE } from "../dataset.ts";
import type { Sample } from "../dataset.ts";
import type { Size } from "../resize.ts";

/** For each pixel of the result, row by row, where in the source it is from: 0 is the middle of the first pixel. */
export interface Positions {
  /** `[height, width]`, columns. */
  readonly x: Float32Array;
  /** `[height, width]`, rows. */
  readonly y: Float32Array;
}

/**
 * Photo and mask with every pixel taken from where `positions` says: the photo bilinearly, black beyond its borders, the mask
 * from the nearest pixel, so that no class comes up that was not there, and {@link IGNORE} beyond. As torch's `grid_sample`
 * with zeros for padding does, but that of two pixels equally near it takes the even one and this the later one.
 */
export function warp({ height, width, image, mask }: Sample, { x, y }: Positions): Sample {
  const [warpedImage, warpedMask] = [new Float32Array(image.length), new Uint8Array(mask.length)];
  for (let pixel = 0, to = 0; pixel < mask.length; pixel++, to += 3) {
    const [column, row] = [x[pixel], y[pixel]];
    const [nearestColumn, nearestRow] = [Math.floor(column + 0.5), Math.floor(row + 0.5)];
    const isInside = nearestColumn >= 0 && nearestColumn < width && nearestRow >= 0 && nearestRow < height;
    warpedMask[pixel] = isInside ? mask[nearestRow * width + nearestColumn] : IGNORE;
    const [left, top] = [Math.floor(column), Math.floor(row)];
    if (!(left >= -1 && left < width && top >= -1 && top < height)) continue;
    const [right, lower] = [column - left, row - top];
    const from = 3 * (top * width + left);
    const below = from + 3 * width;
    const hasLeft = left >= 0;
    const hasRight = left + 1 < width;
    const topLeft = top >= 0 && hasLeft ? (1 - lower) * (1 - right) : 0;
    const topRight = top >= 0 && hasRight ? (1 - lower) * right : 0;
    const bottomLeft = top + 1 < height && hasLeft ? lower * (1 - right) : 0;
    const bottomRight = top + 1 < height && hasRight ? lower * right : 0;
    if (hasLeft && hasRight && top >= 0 && top + 1 < height) {
      for (let c = 0; c < 3; c++) {
        warpedImage[to + c] =
          topLeft * image[from + c] +
          topRight * image[from + 3 + c] +
          bottomLeft * image[below + c] +
          bottomRight * image[below + 3 + c];
      }
      continue;
    }
    // What lies beyond counts as 0, be it as it may.
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      if (topLeft > 0) sum += topLeft * image[from + c];
      if (topRight > 0) sum += topRight * image[from + 3 + c];
      if (bottomLeft > 0) sum += bottomLeft * image[below + c];
      if (bottomRight > 0) sum += bottomRight * image[below + 3 + c];
      warpedImage[to + c] = sum;
    }
  }
  return { height, width, image: warpedImage, mask: warpedMask };
}

/** Room for the positions of a sample. */
export const positions = ({ height, width }: Size): { x: Float32Array; y: Float32Array } => ({
  x: new Float32Array(height * width),
  y: new Float32Array(height * width),
});
