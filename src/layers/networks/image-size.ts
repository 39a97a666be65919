import type { Encoder } from "./encoder.ts";
import type { Size } from "./layer.ts";

/** The side of the smallest photos that an encoder and a decoder take; all sides are multiples of 32. */
export const smallestSide = ({ smallestImage }: Pick<Encoder, "smallestImage">): number =>
  32 * Math.ceil(smallestImage / 32);

/** What is wrong with photos of that side, as the end of a sentence that begins with whose size it is; null where nothing is. */
export function sideProblem(encoder: Encoder, side: number): string | null {
  const least = smallestSide(encoder);
  if (!Number.isInteger(side) || side < 32 || side % 32 !== 0)
    return `must be a multiple of 32, because the encoder halves a photo five times: ${least} or 128, for example`;
  if (side >= least) return null;
  return `must be at least ${least}, because ${encoder.title} takes no smaller photos than ${encoder.smallestImage}×${encoder.smallestImage}`;
}

/** The same of photos of any shape. */
export const sizeProblem = (encoder: Encoder, size: { height: number; width: number }): string | null =>
  sideProblem(encoder, size.height) ?? sideProblem(encoder, size.width);

/** @throws Error when an encoder does not take images of a size */
export function checkImage(encoder: Encoder, [height, width]: Size): void {
  if (height % 32 !== 0 || width % 32 !== 0) {
    throw new Error(
      `${encoder.title} halves its input five times: ${height}×${width} is not a multiple of 32 each way.`,
    );
  }
  if (Math.min(height, width) < encoder.smallestImage) {
    throw new Error(
      `${encoder.title} takes images from ${smallestSide(encoder)}×${smallestSide(encoder)}, not ${height}×${width}.`,
    );
  }
}
