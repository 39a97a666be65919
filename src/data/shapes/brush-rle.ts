import { DataError } from "../data-error.ts";
import type { Canvas } from "./canvas.ts";

/**
 * Paints what a brush of Label Studio covers. Its `rle` is the RGBA picture of the strokes packed bit by bit (`rle-pack` of
 * thi.ng/umbrella): the number of values in 32 bits, the bits of a value less one in 5, four widths of run lengths less one
 * in 4 each; then runs: a bit that says whether one value is repeated, 2 bits that choose the width, the length less one, and
 * the value, or as many values. A pixel is covered where its alpha is above 0.
 *
 * @param bytes the numbers of the annotation's `rle`
 * @throws DataError when they are of another size than the canvas, or end too early
 */
export function paintBrush(canvas: Canvas, bytes: ArrayLike<number>, value: number, where: string): void {
  const { width, height, pixels } = canvas;
  const read = bitReader(bytes, where);
  const count = read(32);
  if (count !== 4 * width * height) {
    throw new DataError(
      `${where} has a brush of ${count} values, and its photo of ${width}×${height} pixels needs ${4 * width * height}: ` +
        "export it anew from the photo as it is.",
    );
  }
  const valueBits = read(5) + 1;
  const lengthBits = [0, 1, 2, 3].map(() => read(4) + 1);
  for (let at = 0; at < count;) {
    const repeated = read(1) === 1;
    const end = Math.min(count, at + 1 + read(lengthBits[read(2)]));
    let covered = repeated && read(valueBits) > 0;
    for (; at < end; at++) {
      if (!repeated) covered = read(valueBits) > 0;
      if (covered && at % 4 === 3) pixels[(at - 3) / 4] = value;
    }
  }
}

/** Reads unsigned numbers of up to 32 bits, highest bit first. */
function bitReader(bytes: ArrayLike<number>, where: string): (bits: number) => number {
  let at = 0;
  return (bits) => {
    if (at + bits > 8 * bytes.length) {
      throw new DataError(`${where} has a brush that ends before its picture does: export it anew.`);
    }
    let value = 0;
    for (let i = 0; i < bits; i++, at++) value = value * 2 + ((bytes[at >> 3] >> (7 - (at & 7))) & 1);
    return value;
  };
}
