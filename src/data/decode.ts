import { paintAnnotation } from "./annotations/annotation.ts";
import type { PhotoAnnotation } from "./annotations/annotation.ts";
import { labelPixels } from "./classes/label-pixels.ts";
import type { Labelling } from "./classes/labelling.ts";
import { DataError, together } from "./data-error.ts";
import { IGNORE } from "./dataset.ts";
import type { Pair } from "./formats/format.ts";
import { openMask } from "./mask.ts";
import type { Mask } from "./mask.ts";
import { alignment, turn, uprightSize } from "./orientation.ts";
import { openPhotoFile } from "./photo.ts";
import type { OpenPhoto, Photo } from "./photo.ts";
import type { Remark } from "./remarks.ts";

/** A photo and its mask, of the same size. */
export interface DecodedPair {
  photo: Photo;
  mask: Mask;
  /** What was decided on the way. */
  remarks: readonly Remark[];
}

export interface PairOptions {
  readonly labelling: Labelling;
  /** Whether masks of formats that change numbers are taken: JPEG, lossy WebP, AVIF. */
  readonly lossyMasks?: boolean | undefined;
}

/**
 * Decodes a photo and its mask, both upright: `alignment` says how EXIF orientation is understood.
 * @throws DataError as `openPhotoFile` and `openMask` do, for both at once, when the two differ in size, and when the mask holds
 * what is no class.
 */
export async function decodePair(pair: Pair, options: PairOptions): Promise<DecodedPair> {
  return pair.annotation === undefined
    ? decodeFiles(pair, options)
    : decodeAnnotated(pair.image, pair.annotation, options.labelling);
}

async function decodeFiles(pair: Pair, { labelling, lossyMasks }: PairOptions): Promise<DecodedPair> {
  const photo = openPhotoFile(pair.image);
  const mask = openMask(pair.mask, { lossyMasks, colours: labelling.keys === "colours" });
  const labelsOf = async (
    opened: Awaited<typeof mask>,
  ): Promise<{ labels: Uint8Array; remarks: readonly Remark[] }> => {
    const found = await opened.decode();
    return {
      labels: labelPixels({ ...found, width: opened.width, file: pair.mask }, labelling),
      remarks: found.remarks,
    };
  };
  const opened = await Promise.allSettled([photo, mask]);
  if (opened.some(({ status }) => status === "rejected")) {
    // The one that opens may have faults of its own.
    await settled(
      photo.then((it) => it.decode()),
      mask.then((it) => labelsOf(it)),
    );
  }
  const [openedPhoto, openedMask] = [await photo, await mask];
  const { orientation, remarks } = alignment(
    { ...openedPhoto, file: pair.image },
    { ...openedMask, file: pair.mask },
  );
  const [fromPhoto, fromMask] = await settled(openedPhoto.decode(), labelsOf(openedMask));
  return {
    photo: fromPhoto.photo,
    mask: turn(fromMask.labels, openedMask, orientation),
    remarks: [...fromPhoto.remarks, ...fromMask.remarks, ...remarks],
  };
}

/** Labelling tools run in browsers or know EXIF: shapes lie on the upright photo unless the tool's size says otherwise. */
async function decodeAnnotated(
  file: string,
  annotation: PhotoAnnotation,
  { classes, others }: Labelling,
): Promise<DecodedPair> {
  const opened = await openPhotoFile(file);
  const classOf = (label: string | null): number => {
    const found = label === null ? IGNORE : (classes.get(label) ?? others);
    if (found === undefined)
      throw new DataError(
        `${annotation.where} has the label ${JSON.stringify(label)}, which is no class: add it or map it with --label-map.`,
      );
    return found;
  };
  const { size, asStored } = drawnOn(opened, annotation);
  const labels = paintAnnotation(annotation, size, classOf);
  const { photo, remarks } = await opened.decode();
  return {
    photo,
    mask: asStored ? turn(labels, size, opened.orientation) : { ...size, labels },
    remarks: [
      ...remarks,
      ...(asStored
        ? (["drawnAsStored"] as const)
        : opened.orientation === 1
          ? []
          : (["drawnUpright"] as const)),
    ],
  };
}

/** The photo's size as whoever drew the shapes had it before him. */
function drawnOn(
  photo: OpenPhoto,
  { size: known }: PhotoAnnotation,
): { size: { width: number; height: number }; asStored: boolean } {
  const upright = uprightSize(photo);
  const { width, height } = photo;
  const fits = known === null || (known.width === upright.width && known.height === upright.height);
  const asStored = !fits && known.width === width && known.height === height;
  return { size: asStored ? { width, height } : upright, asStored };
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
