import { normalize } from "../../data/normalize.ts";
import type { Normalization } from "../../data/normalize.ts";
import { resizeBilinear } from "../../data/resize.ts";

/**
 * A photo as the network takes it, prepared as in training: resized bilinearly to a square without regard to its
 * proportions, divided by 255, normalized.
 *
 * @param photo `pixels` `[height, width, 4]`; the fourth channel is dropped.
 * @returns `[imageSize, imageSize, 3]`
 */
export function prepareImage(
  photo: { readonly width: number; readonly height: number; readonly pixels: ArrayLike<number> },
  { imageSize, normalization }: { readonly imageSize: number; readonly normalization: Normalization },
): Float32Array {
  const size = { width: imageSize, height: imageSize };
  const resized = resizeBilinear(photo.pixels, photo, 4, size, 1 / 255);
  const image = new Float32Array(imageSize ** 2 * 3);
  for (let pixel = 0; pixel < imageSize ** 2; pixel++) {
    image.set(resized.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  }
  return normalize(image, normalization);
}
