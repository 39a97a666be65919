import { DataError, together } from "./data-error.ts";
import { openMask } from "./mask.ts";
import type { Mask, MaskOptions } from "./mask.ts";
import type { Pair } from "./pairs.ts";
import { decodePhoto } from "./photo.ts";
import type { Photo } from "./photo.ts";
import type { Remark } from "./remarks.ts";

/** A photo and its mask, of the same size. */
export interface DecodedPair {
  photo: Photo;
  mask: Mask;
  /** What was decided on the way. */
  remarks: readonly Remark[];
}

/**
 * Decodes a photo and its mask.
 * @throws DataError as `decodePhoto` and `openMask` do, and when the two differ in size.
 */
export async function decodePair(pair: Pair, options: MaskOptions = {}): Promise<DecodedPair> {
  const [photo, { mask, remarks }] = await settled(
    decodePhoto(pair.image),
    openMask(pair.mask, options).then((opened) => opened.decode()),
  );
  if (photo.width !== mask.width || photo.height !== mask.height) {
    throw new DataError(
      `The mask ${pair.mask} is ${mask.width}×${mask.height} pixels and its photo ${photo.width}×${photo.height}` +
        `: give both the same size.`,
    );
  }
  return { photo, mask, remarks };
}

/** Both results, once both have ended, so that no work goes on behind a failure; else all that is wrong. */
async function settled<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const outcomes = await Promise.allSettled([a, b]);
  const faults = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" && outcome.reason instanceof DataError ? [outcome.reason] : [],
  );
  if (faults.length === outcomes.length) throw together(faults);
  return Promise.all([a, b]);
}
