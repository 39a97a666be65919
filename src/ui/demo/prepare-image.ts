import { placementOf, placePhoto } from "../../data/fit.ts";
import type { Placement } from "../../data/fit.ts";
import { normalize } from "../../data/normalize.ts";
import type { Size } from "../../data/resize.ts";
import { rgbOf } from "../../data/rgb.ts";
import type { ModelDescription } from "./model-description.ts";

/**
 * A photo as the network takes it, prepared as in training: resized bilinearly, divided by 255, normalized.
 *
 * @param photo `pixels` `[height, width, 4]`; the fourth channel is dropped.
 * @param placement where it lies in what the network sees
 * @returns `[height, width, 3]`
 */
export function prepareImage(
  photo: Size & { readonly pixels: ArrayLike<number> },
  { imageSize, resize, normalization }: Pick<ModelDescription, "imageSize" | "resize" | "normalization">,
  placement: Placement = placementOf(photo, imageSize, resize),
): Float32Array {
  return normalize(rgbOf(placePhoto(photo, 4, imageSize, placement), 4), normalization);
}
