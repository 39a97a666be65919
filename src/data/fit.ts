/** @file How photos of any shape become images of one size, and which part of such an image is of the photo. */
import { sameSize } from "../image-size.ts";
import { IGNORE } from "./dataset.ts";
import { resizeBilinear, resizeNearest } from "./resize.ts";
import type { Size } from "./resize.ts";
import type { Resize } from "./resizes.ts";

/** The grey around a letterboxed photo, in 0…1: 114 of 255, as Ultralytics and YOLOX pad, about ImageNet's mean. */
export const GREY = 114 / 255;

/** A photo that was scaled, and where its first pixel lies in an image: before the image's where it is cut. */
export interface Placement {
  readonly scaled: Size;
  readonly left: number;
  readonly top: number;
}

/** Where a photo lies in an image of the size `to`. */
export function placementOf(photo: Size, to: Size, resize: Resize): Placement {
  if (resize === "stretch") return { scaled: { height: to.height, width: to.width }, left: 0, top: 0 };
  const [across, down] = [to.width / photo.width, to.height / photo.height];
  const covers = resize === "short-side";
  const ratio = covers ? Math.max(across, down) : Math.min(across, down);
  const side = (length: number, whole: number): number =>
    covers
      ? Math.max(whole, Math.round(length * ratio))
      : Math.min(whole, Math.max(1, Math.round(length * ratio)));
  const scaled = { height: side(photo.height, to.height), width: side(photo.width, to.width) };
  return {
    scaled,
    left: Math.trunc((to.width - scaled.width) / 2),
    top: Math.trunc((to.height - scaled.height) / 2),
  };
}

/**
 * A photo as an image of the size `to`: resized bilinearly, divided by 255, the grey around it included.
 *
 * @param photo `pixels` `[height, width, channels]`, 0…255
 * @returns `[to.height, to.width, channels]` in 0…1
 */
export function fitPhoto(
  photo: Size & { readonly pixels: ArrayLike<number> },
  channels: number,
  to: Size,
  resize: Resize,
): Float32Array<ArrayBuffer> {
  return placePhoto(photo, channels, to, placementOf(photo, to, resize));
}

/** As {@link fitPhoto}, of a photo that lies elsewhere. */
export function placePhoto(
  photo: Size & { readonly pixels: ArrayLike<number> },
  channels: number,
  to: Size,
  placement: Placement,
): Float32Array<ArrayBuffer> {
  const scaled = resizeBilinear(photo.pixels, photo, channels, placement.scaled, 1 / 255);
  if (sameSize(placement.scaled, to)) return scaled;
  return place(scaled, channels, placement, to, new Float32Array(to.height * to.width * channels).fill(GREY));
}

/** A mask as {@link fitPhoto} makes the photo, by nearest neighbour or as `resized` resizes it; {@link IGNORE} around it. */
export function fitMask(
  mask: Size & { readonly labels: Uint8Array },
  to: Size,
  resize: Resize,
  resized: (labels: Uint8Array, from: Size, to: Size) => Uint8Array = resizeNearest,
): Uint8Array {
  const placement = placementOf(mask, to, resize);
  const scaled = resized(mask.labels, mask, placement.scaled);
  if (resize === "stretch") return scaled;
  return place(scaled, 1, placement, to, new Uint8Array(to.height * to.width).fill(IGNORE));
}

/**
 * The part of an image that is of the photo: without the grey around it.
 *
 * @param values `[from.height, from.width, channels]`
 */
export function cutOut<Values extends Float32Array | Uint8Array>(
  values: Values,
  channels: number,
  { scaled, left, top }: Placement,
  from: Size,
): Values {
  const part = values.slice(0, scaled.height * scaled.width * channels) as Values;
  for (let row = 0; row < scaled.height; row++) {
    const begin = ((top + row) * from.width + left) * channels;
    part.set(values.subarray(begin, begin + scaled.width * channels), row * scaled.width * channels);
  }
  return part;
}

/** Writes what of a scaled photo lies in an image into it. */
export function place<Values extends Float32Array | Uint8Array>(
  values: Values,
  channels: number,
  { scaled, left, top }: Placement,
  to: Size,
  into: Values,
): Values {
  const [firstRow, firstColumn] = [Math.max(0, top), Math.max(0, left)];
  const width = Math.min(to.width, left + scaled.width) - firstColumn;
  for (let row = firstRow; row < Math.min(to.height, top + scaled.height); row++) {
    const begin = ((row - top) * scaled.width + firstColumn - left) * channels;
    const line = values.subarray(begin, begin + width * channels);
    into.set(line, (row * to.width + firstColumn) * channels);
  }
  return into;
}
