import { DataError } from "./data-error.ts";
import type { Remark } from "./remarks.ts";
import type { Size } from "./resize.ts";

/** A picture's size as stored, and the value of its EXIF tag `Orientation`, 1 to 8, which says how a viewer turns it. */
export interface Oriented extends Size {
  readonly orientation: number;
}

/** The size at which a viewer shows a picture. */
export const uprightSize = ({ width, height, orientation }: Oriented): Size =>
  orientation < 5 ? { width, height } : { width: height, height: width };

/**
 * The labels of a mask turned as an EXIF orientation says (Exif 2.32, tag 274).
 * @param labels `[height, width]`
 */
export function turn(
  labels: Uint8Array,
  { width, height }: Size,
  orientation: number,
): Size & { labels: Uint8Array } {
  if (orientation === 1) return { width, height, labels };
  // Place of the first pixel of the result in the stored mask, and how far one goes there for a column and for a row.
  const [right, down, last] = [1, width, width * height - 1];
  const [start, column, row] = {
    2: [width - 1, -right, down],
    3: [last, -right, -down],
    4: [last - width + 1, right, -down],
    5: [0, down, right],
    6: [last - width + 1, -down, right],
    7: [last, -down, -right],
    8: [width - 1, down, -right],
  }[orientation]!;
  const size = uprightSize({ width, height, orientation });
  const turned = new Uint8Array(labels.length);
  for (let y = 0, to = 0; y < size.height; y++) {
    for (let x = 0, from = start + y * row; x < size.width; x++, from += column) turned[to++] = labels[from];
  }
  return { ...size, labels: turned };
}

/**
 * How a mask is to be turned so that it lies on the upright photo, and what is to be said of it.
 *
 * Each file is taken as a viewer shows it, turned by its own tag. Browsers have done so since 2020, and so do the labelling
 * tools that run in them or are made with Qt or OpenCV: who draws a mask has an upright photo before him, and a mask without a
 * tag lies on it. If the sizes do not fit that way but do as stored, the mask was made by a program that knows nothing of EXIF
 * (Pillow unless asked, TensorFlow), on the photo's stored pixels: it is turned as the photo is. Where sizes do not tell, as of
 * square photos and half turns, the first counts.
 * @throws DataError when the sizes fit neither way.
 */
export function alignment(
  photo: Oriented & { file: string },
  mask: Oriented & { file: string },
): { orientation: number; remarks: readonly Remark[] } {
  const asStored = same(photo, mask);
  if (same(uprightSize(photo), uprightSize(mask))) {
    return { orientation: mask.orientation, remarks: uprightRemarks(photo, mask, asStored) };
  }
  if (asStored) return { orientation: photo.orientation, remarks: ["drawnAsStored"] };
  throw new DataError(
    `The mask ${mask.file} is ${sizeText(mask, " pixels")} and its photo ${sizeText(photo)}: give both the same size.`,
  );
}

function uprightRemarks(photo: Oriented, mask: Oriented, asStored: boolean): Remark[] {
  if (photo.orientation === mask.orientation) return photo.orientation === 1 ? [] : ["turnedAlike"];
  if (mask.orientation !== 1) return ["maskTurned"];
  return [asStored ? "takenUpright" : "drawnUpright"];
}

const same = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

function sizeText(picture: Oriented, unit = ""): string {
  const { width, height } = uprightSize(picture);
  const { orientation } = picture;
  return `${width}×${height}${unit}${orientation === 1 ? "" : `, turned by its EXIF orientation ${orientation}`}`;
}
