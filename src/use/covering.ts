import { cutOut, placementOf } from "../data/fit.ts";
import { normalize } from "../data/normalize.ts";
import type { Normalization } from "../data/normalize.ts";
import { resizeBilinear } from "../data/resize.ts";
import type { Size } from "../data/resize.ts";
import { rgbOf } from "../data/rgb.ts";
import { sizeText } from "../image-size.ts";
import type { WindowedPhoto } from "./slide.ts";
import { WindowMean } from "./window-mean.ts";
import { windowStarts } from "./windows.ts";

/**
 * @file What a network says of a whole photo that learned from the middles of photos (`short-side`): in Node and in the browser alike, so
 * nothing of either is here.
 */

/** Share of a window that it has in common with the next, as MONAI's `SlidingWindowInferer` has it. */
const OVERLAP = 0.25;

/** A photo that was scaled to cover the network's size, and where windows of that size lie over it, from top to bottom. */
export interface Covering {
  readonly scaled: Size;
  readonly corners: readonly { readonly left: number; readonly top: number }[];
}

/** @param size the network's */
export function coveringOf(photo: Size, size: Size): Covering {
  const { scaled } = placementOf(photo, size, "short-side");
  const corners = windowStarts(scaled.height, size.height, OVERLAP).flatMap((top) =>
    windowStarts(scaled.width, size.width, OVERLAP).map((left) => ({ left, top })),
  );
  return { scaled, corners };
}

/** Of the scores of a photo, which are held as a whole. */
const MOST_BYTES = 2 ** 30;

/** Why the scores of a photo cannot be held, as the end of a sentence that begins with what the photo is called; null where they can. */
export function coveringProblem(photo: Size, size: Size, classes: number): string | null {
  const { scaled } = coveringOf(photo, size);
  const bytes = 4 * classes * scaled.height * scaled.width;
  if (bytes <= MOST_BYTES) return null;
  return (
    `is too long and narrow: to cover ${sizeText(size)} its ${sizeText(photo)} pixels become ${sizeText(scaled)}, and their ` +
    `scores would take ${(bytes / 2 ** 30).toFixed(1)} GB: crop it.`
  );
}

export interface CoveringOptions {
  /** The network's. */
  readonly size: Size;
  readonly classes: number;
  readonly normalization: Normalization;
  /** Images at once. */
  readonly batchSize: number;
  /**
   * The network's probabilities, each `[size.height, size.width, classes]`, of at most `batchSize` images
   * `[size.height, size.width, 3]`, prepared as in training.
   */
  readonly run: (images: readonly Float32Array[]) => Promise<readonly Float32Array[]>;
}

/**
 * The probabilities of a photo that was scaled to cover the network's size, the mean of its windows', each by its weights (see
 * windows.ts).
 *
 * @returns the scaled photo's size and its scores, `[height, width, classes]`
 * @throws Error when they are more than can be held, see {@link coveringProblem}; what `run` throws.
 */
export async function coveringScores(
  photo: WindowedPhoto,
  { size, classes, normalization, batchSize, run }: CoveringOptions,
): Promise<Size & { readonly scores: Float32Array }> {
  const problem = coveringProblem(photo, size, classes);
  if (problem !== null) throw new Error(`The photo ${problem}`);
  const { scaled, corners } = coveringOf(photo, size);
  const { pixels, channels = 3 } = photo;
  const resized = resizeBilinear(pixels, photo, channels, scaled, 1 / 255);
  const image = normalize(rgbOf(resized, channels), normalization);
  const mean = new WindowMean(scaled, size, classes);
  for (let first = 0; first < corners.length; first += batchSize) {
    const own = corners.slice(first, first + batchSize);
    const images = own.map((corner) => cutOut(image, 3, { scaled: size, ...corner }, scaled));
    const scores = await run(images);
    own.forEach((corner, i) => mean.add(scores[i], corner));
  }
  return { ...scaled, scores: mean.scores() };
}
