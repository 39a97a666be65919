import { normalize } from "../../data/normalize.ts";
import type { Normalization } from "../../data/normalize.ts";
import { resizeBilinear } from "../../data/resize.ts";
import type { Size } from "../../data/resize.ts";

/**
 * A photo as the network takes it, prepared as in training: resized bilinearly without regard to its proportions,
 * divided by 255, normalized.
 *
 * @param photo `pixels` `[height, width, 4]`; the fourth channel is dropped.
 * @returns `[height, width, 3]`
 */
export function prepareImage(
  photo: { readonly width: number; readonly height: number; readonly pixels: ArrayLike<number> },
  { imageSize, normalization }: { readonly imageSize: Size; readonly normalization: Normalization },
): Float32Array {
  const resized = resizeBilinear(photo.pixels, photo, 4, imageSize, 1 / 255);
  const pixels = imageSize.height * imageSize.width;
  const image = new Float32Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    image.set(resized.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  }
  return normalize(image, normalization);
}
