import { fitPhoto } from "../../data/fit.ts";
import { normalize } from "../../data/normalize.ts";
import type { Size } from "../../data/resize.ts";
import type { ModelDescription } from "./model-description.ts";

/**
 * A photo as the network takes it, prepared as in training: resized bilinearly, divided by 255, normalized.
 *
 * @param photo `pixels` `[height, width, 4]`; the fourth channel is dropped.
 * @returns `[height, width, 3]`
 */
export function prepareImage(
  photo: Size & { readonly pixels: ArrayLike<number> },
  { imageSize, resize, normalization }: Pick<ModelDescription, "imageSize" | "resize" | "normalization">,
): Float32Array {
  const fitted = fitPhoto(photo, 4, imageSize, resize);
  const pixels = imageSize.height * imageSize.width;
  const image = new Float32Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    image.set(fitted.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  }
  return normalize(image, normalization);
}
