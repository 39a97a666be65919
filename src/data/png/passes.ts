import type { PngHeader } from "./header.ts";

/** A part of a picture's pixels, whose scanlines follow one another: columns x, x + dx … of rows y, y + dy … */
export interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  /** Pixels of each scanline, and scanlines. */
  readonly width: number;
  readonly height: number;
  /** Bytes of a scanline, without that of its filter. */
  readonly stride: number;
}

/** Adam7 (PNG specification, third edition, §8.2): x, y, dx, dy of each pass. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** The passes that have pixels, in the order of the file; one of all pixels where it is not interlaced. */
export function passesOf({ width, height, depth, channels, interlaced }: PngHeader): Pass[] {
  return (interlaced ? ADAM7 : [[0, 0, 1, 1]])
    .map(([x, y, dx, dy]) => {
      const columns = Math.ceil((width - x) / dx);
      const rows = Math.ceil((height - y) / dy);
      return {
        ...{ x, y, dx, dy, width: columns, height: rows },
        stride: Math.ceil((columns * channels * depth) / 8),
      };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes of all scanlines and their filters. */
export const bytesOf = (passes: readonly Pass[]): number =>
  passes.reduce((sum, { height, stride }) => sum + height * (stride + 1), 0);
