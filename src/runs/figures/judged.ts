import { DataError } from "../../data/data-error.ts";
import type { SegmentationDataset } from "../../data/dataset.ts";
import { cutOut, placementOf } from "../../data/fit.ts";
import { resizeNearest } from "../../data/resize.ts";
import type { JudgedPhoto, PhotoScores } from "../photo-scores.ts";
import { photoDrawing, pictureOf } from "./mosaic.ts";
import type { Picture } from "./mosaic.ts";
import { withoutSurroundings } from "./not-counted.ts";
import { overlayFigure, sizeWithin } from "./overlay.ts";
import { worstAndBestFigure } from "./worst-and-best.ts";
import type { JudgedPicture } from "./worst-and-best.ts";

/** How many overlays there are of the worst photos, and of the best. */
const OVERLAYS = 2;
/** Of an overlay's longer side: nine megapixels at most. */
export const MOST_PIXELS = 3000;
/** Of the longer side of a photo that waits to be drawn small, among others. */
const MOST_SMALL_PIXELS = 800;

/** Pictures of single photos of an evaluation. */
export type JudgedFigureName = "worst_best" | `overlay_${"worst" | "best"}_${1 | 2}`;

export interface JudgedFiguresOptions {
  /** What was evaluated on. */
  readonly dataset: SegmentationDataset;
  readonly scores: PhotoScores;
  readonly classNames: readonly string[];
  readonly title?: string;
  /** Whether predictions were compared at the photos' own size, and not at the network's. */
  readonly atOwnSize?: boolean;
}

/**
 * PNGs: the worst and the best photos side by side, as they were compared; and the first of each, at their own size where they have one
 * and up to 3000 pixels, with the predicted mask laid over. One photo at a time is held at its own size. None where no photo has a
 * pixel that counts.
 */
export async function judgedFigures(
  options: JudgedFiguresOptions,
): Promise<Partial<Record<JudgedFigureName, Buffer>>> {
  const { dataset, scores, classNames, title } = options;
  const ends = { worst: scores.worst, best: scores.best };
  if (ends.worst.length === 0) return {};
  const overlays: Partial<Record<JudgedFigureName, Buffer>> = {};
  for (const end of ["worst", "best"] as const) {
    for (const [i, judged] of ends[end].slice(0, OVERLAYS).entries()) {
      const name = dataset.names[judged.index];
      const { photo, mask } = await overlaid(judged, options);
      overlays[`overlay_${end}_${(i + 1) as 1 | 2}`] = await overlayFigure({
        photo,
        mask,
        classNames,
        title: `${name}: mean IoU ${judged.meanIou.toFixed(3)}, accuracy ${judged.accuracy.toFixed(3)}`,
        mostPixels: MOST_PIXELS,
      });
    }
  }
  const [worst, best] = [await judgedPictures(ends.worst, options), await judgedPictures(ends.best, options)];
  const worstBest = await worstAndBestFigure({
    worst,
    best,
    classNames,
    ...(title !== undefined && { title }),
  });
  return { worst_best: worstBest, ...overlays };
}

async function judgedPictures(
  photos: readonly JudgedPhoto[],
  { dataset, atOwnSize = false }: JudgedFiguresOptions,
): Promise<JudgedPicture[]> {
  const pictures: JudgedPicture[] = [];
  for (const { index, size, prediction, meanIou, accuracy } of photos) {
    const picture = atOwnSize ? await wholePhoto(dataset, index) : await seenPhoto(dataset, index);
    const small = sizeWithin(picture, MOST_SMALL_PIXELS);
    const truth = resizeNearest(picture.mask, picture, size);
    const isPadded = dataset.resize === "letterbox" && !atOwnSize;
    pictures.push({
      name: dataset.names[index],
      photo: { ...small, rgb: await photoDrawing(picture).draw(small) },
      size,
      ...{ truth, meanIou, accuracy },
      prediction: isPadded ? withoutSurroundings(prediction, truth, size) : prediction,
    });
  }
  return pictures;
}

/** What an overlay shows: all of the photo where the prediction is of all of it, and else what the network sees. */
async function overlaid(
  { index, prediction, size }: JudgedPhoto,
  { dataset, atOwnSize = false }: JudgedFiguresOptions,
): Promise<{ photo: Picture; mask: Uint8Array }> {
  const { resize = "stretch" } = dataset;
  const isCut = resize === "short-side" && !atOwnSize;
  const photo = await (isCut ? seenPhoto(dataset, index) : wholePhoto(dataset, index));
  if (atOwnSize || resize !== "letterbox") return { photo, mask: resizeNearest(prediction, size, photo) };
  const placement = placementOf(photo, size, resize);
  const inside = cutOut(prediction, 1, placement, size);
  return { photo, mask: resizeNearest(inside, placement.scaled, photo) };
}

/** A photo at its own size; as the network sees it where it has none, or where its files are gone since it was read. */
async function wholePhoto(dataset: SegmentationDataset, index: number): Promise<Picture> {
  const whole = await dataset.atOwnSize?.(index).catch((error: unknown) => {
    if (!(error instanceof DataError)) throw error;
  });
  if (!whole) return seenPhoto(dataset, index);
  const { photo, mask } = whole;
  const { width, height, pixels } = photo;
  return { name: dataset.names[index], width, height, rgb: pixels, mask: mask.labels };
}

async function seenPhoto(dataset: SegmentationDataset, index: number): Promise<Picture> {
  return pictureOf({ ...(await dataset.load(index)), name: dataset.names[index] });
}
