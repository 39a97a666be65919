import { deflateSync } from "node:zlib";
import { crc32 } from "../../src/files/crc32.ts";

export interface PngSpec {
  width: number;
  height: number;
  depth: number;
  colourType: number;
  /** `[height, width, channels]` */
  samples: ArrayLike<number>;
  interlaced?: boolean;
  /** The filter of scanline `row` of all passes together; none by default. */
  filter?: (row: number) => number;
  /** Chunks between header and pixels. */
  chunks?: readonly Buffer[];
}

const CHANNELS = [1, 0, 3, 1, 2, 0, 4];
/** x, y, dx and dy of Adam7's passes, read off the table of the specification. */
const PASSES = ["0 0 8 8", "4 0 8 8", "0 4 4 8", "2 0 4 4", "0 2 2 4", "1 0 2 2", "0 1 1 2"].map((pass) =>
  pass.split(" ").map(Number),
);

/** A PNG of any kind, as the specification says it is written. */
export function pngFile({
  width,
  height,
  depth,
  colourType,
  samples,
  chunks = [],
  ...options
}: PngSpec): Buffer {
  const { interlaced = false, filter = () => 0 } = options;
  const channels = CHANNELS[colourType];
  const lines: number[] = [];
  const step = Math.max(1, (channels * depth) >> 3);
  let row = 0;
  for (const [x0, y0, dx, dy] of interlaced ? PASSES : [[0, 0, 1, 1]]) {
    let above: number[] = [];
    for (let y = y0; y < height; y += dy) {
      const numbers: number[] = [];
      for (let x = x0; x < width; x += dx) {
        for (let c = 0; c < channels; c++) numbers.push(samples[(y * width + x) * channels + c]);
      }
      if (numbers.length === 0) continue;
      const line = packed(numbers, depth);
      const kind = filter(row++);
      lines.push(kind, ...filtered(kind, line, above, step));
      above = line;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  return pngOf(header, [...chunks, chunk("IDAT", deflateSync(Buffer.from(lines)))]);
}

/** A PNG of a header's 13 bytes and all chunks up to `IEND`. */
export const pngOf = (header: Buffer, chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...chunks,
    chunk("IEND", Buffer.alloc(0)),
  ]);

export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** The chunk of a palette. */
export const palette = (...colours: (readonly [number, number, number])[]): Buffer =>
  chunk("PLTE", Uint8Array.from(colours.flat()));

export const greyPalette = (...greys: number[]): Buffer => palette(...greys.map((g) => [g, g, g] as const));

function packed(numbers: readonly number[], depth: number): number[] {
  if (depth === 16) return numbers.flatMap((n) => [n >> 8, n & 255]);
  const perByte = 8 / depth;
  return Array.from({ length: Math.ceil(numbers.length / perByte) }, (_, i) => {
    let value = 0;
    for (let k = 0; k < perByte; k++) value = (value << depth) | (numbers[i * perByte + k] ?? 0);
    return value;
  });
}

function filtered(kind: number, line: readonly number[], above: readonly number[], step: number): number[] {
  return line.map((value, i) => {
    const a = line[i - step] ?? 0;
    const b = above[i] ?? 0;
    const c = i < step ? 0 : (above[i - step] ?? 0);
    const nearest = [a, b, c].reduce((best, n) =>
      Math.abs(a + b - c - n) < Math.abs(a + b - c - best) ? n : best,
    );
    return (value - [0, a, b, (a + b) >> 1, nearest][kind]) & 255;
  });
}
