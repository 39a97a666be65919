import { DataError, together } from "./data-error.ts";
import { openMask } from "./mask.ts";
import type { Mask, MaskOptions } from "./mask.ts";
import type { Pair } from "./formats/format.ts";
import { alignment, turn } from "./orientation.ts";
import { openPhoto } from "./photo.ts";
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
 * Decodes a photo and its mask, both upright: `alignment` says how EXIF orientation is understood.
 * @throws DataError as `openPhoto` and `openMask` do, for both at once, and when the two differ in size.
 */
export async function decodePair(pair: Pair, options: MaskOptions = {}): Promise<DecodedPair> {
  const photo = openPhoto(pair.image);
  const mask = openMask(pair.mask, options);
  const opened = await Promise.allSettled([photo, mask]);
  if (opened.some(({ status }) => status === "rejected")) {
    // The one that opens may have faults of its own.
    await settled(
      photo.then((it) => it.decode()),
      mask.then((it) => it.decode()),
    );
  }
  const [openedPhoto, openedMask] = [await photo, await mask];
  const { orientation, remarks } = alignment(
    { ...openedPhoto, file: pair.image },
    { ...openedMask, file: pair.mask },
  );
  const [fromPhoto, fromMask] = await settled(openedPhoto.decode(), openedMask.decode());
  return {
    photo: fromPhoto.photo,
    mask: turn(fromMask.mask.labels, fromMask.mask, orientation),
    remarks: [...fromPhoto.remarks, ...fromMask.remarks, ...remarks],
  };
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
