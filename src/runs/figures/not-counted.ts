/** @file Pixels that do not count, in pictures: a grey hatch, as no class is drawn. */
import { IGNORE } from "../../data/dataset.ts";
import type { Size } from "../../data/resize.ts";

/** Dark lines on a light ground. */
export const HATCH = { ground: "#e4e6ea", lines: "#8b929c" } as const;
/** Pixels of the picture from line to line, and of a line. */
const PITCH = 12;
const LINE = 3;

/** Whether a mask's number marks a pixel that does not count. With 256 classes it is a class, and all pixels count. */
export const isIgnored = (label: number, classes: number): boolean => label === IGNORE && classes <= IGNORE;

/** Whether some pixel of the masks does not count. */
export const someIgnored = (masks: readonly Uint8Array[], classes: number): boolean =>
  classes <= IGNORE && masks.some((mask) => mask.includes(IGNORE));

/** Hatches the pixels that do not count of a painted mask, three bytes for each pixel, in place. */
export function hatchIgnored(rgb: Uint8Array, mask: Uint8Array, width: number, classes: number): Uint8Array {
  if (!someIgnored([mask], classes)) return rgb;
  const [ground, lines] = [HATCH.ground, HATCH.lines].map((hex) => Buffer.from(hex.slice(1), "hex"));
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (mask[pixel] !== IGNORE) continue;
    const diagonal = (pixel % width) + Math.floor(pixel / width);
    rgb.set(diagonal % PITCH < LINE ? lines : ground, 3 * pixel);
  }
  return rgb;
}

/**
 * A prediction `[height, width]` that says nothing of what lies around a letterboxed photo: of rows and columns at the edges that
 * do not count at all in the truth.
 */
export function withoutSurroundings(
  prediction: Uint8Array,
  truth: Uint8Array,
  { height, width }: Size,
): Uint8Array {
  const [rows, columns] = [new Uint8Array(height), new Uint8Array(width)];
  truth.forEach((label, pixel) => {
    if (label === IGNORE) return;
    rows[Math.floor(pixel / width)] = 1;
    columns[pixel % width] = 1;
  });
  const [top, bottom] = [rows.indexOf(1), rows.lastIndexOf(1)];
  const [left, right] = [columns.indexOf(1), columns.lastIndexOf(1)];
  return prediction.map((label, pixel) => {
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    return row < top || row > bottom || column < left || column > right ? IGNORE : label;
  });
}
