import { DataError } from "../data-error.ts";
import type { Canvas } from "./canvas.ts";

/**
 * Paints the ones of COCO's uncompressed run lengths: counts of zeros and of ones in turns, down the columns.
 *
 * @param where names the annotation in messages
 * @throws DataError when the counts are no counts, or do not add up to the canvas
 */
export function paintRunLengths(
  canvas: Canvas,
  counts: readonly number[],
  value: number,
  where: string,
): void {
  const { width, height, pixels } = canvas;
  const wrong = counts.find((count) => !(Number.isInteger(count) && count >= 0));
  if (wrong !== undefined) {
    throw new DataError(
      `${where} has the run length ${wrong}: run lengths are whole numbers from 0 on; export it anew.`,
    );
  }
  const sum = counts.reduce((total, count) => total + count, 0);
  if (sum !== width * height) {
    throw new DataError(
      `${where} has run lengths of ${sum} pixels in all, and its photo has ${width}×${height} = ${width * height}: ` +
        "export it anew from the photo as it is.",
    );
  }
  let at = 0;
  counts.forEach((count, run) => {
    if (run % 2 === 1) {
      for (let i = at; i < at + count; i++) pixels[(i % height) * width + Math.floor(i / height)] = value;
    }
    at += count;
  });
}

/** The character of the digit 0. */
const ZERO = 48;

/**
 * The counts of COCO's compressed run lengths (`rleToString` of pycocotools): each is written in base 32, low digits first,
 * a digit a character from `0` on with 32 added where more follow and, in the last, 16 for a negative number; from the third
 * on the difference to the count before the last one is written.
 *
 * @throws DataError when the text is none
 */
export function parseRunLengths(text: string, where: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    let factor = 1;
    for (let more = true; more; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      // Seven digits hold any count of a picture; NaN past the end.
      if (!(digit >= 0 && digit < 64) || factor > 32 ** 7) {
        throw new DataError(
          `${where} has compressed run lengths that end or break off at character ${at + 1}: export it anew.`,
        );
      }
      value += (digit & 31) * factor;
      factor *= 32;
      more = digit >= 32;
      if (!more && (digit & 16) !== 0) value -= factor;
    }
    counts.push(counts.length > 2 ? value + counts[counts.length - 2] : value);
  }
  return counts;
}
