import { promisify } from "node:util";
import { inflate } from "node:zlib";

/** The stored values of a one-channel PNG: grey levels or palette indices, neither scaled nor looked up. */
export interface PngValues {
  width: number;
  height: number;
  values: Uint16Array<ArrayBuffer>;
}

/** What the first 33 bytes of a PNG say, or undefined when `file` is no PNG. */
export function pngHeader(file: Buffer): PngHeader | undefined {
  if (file.length < 33 || file.readUInt32BE(0) !== 0x89504e47 || file.readUInt32BE(4) !== 0x0d0a1a0a) {
    return undefined;
  }
  return {
    width: file.readUInt32BE(16),
    height: file.readUInt32BE(20),
    depth: file[24],
    colourType: file[25],
    interlaced: file[28] !== 0,
  };
}

/** Fields of the IHDR chunk; `colourType` 0 is grey, 3 a palette; `depth` is in bits. */
export interface PngHeader {
  width: number;
  height: number;
  depth: number;
  colourType: number;
  interlaced: boolean;
}

/**
 * Reads a grey or palette PNG as numbers (PNG specification, third edition, §9 and §10). Image libraries look a
 * palette's colours up and stretch 1-, 2- and 4-bit greys to 0…255; in a mask the number itself is the class.
 * @throws Error with a few words on what is wrong with the file.
 */
export async function readPngValues(file: Buffer): Promise<PngValues> {
  const header = pngHeader(file);
  if (header === undefined || (header.colourType !== 0 && header.colourType !== 3)) {
    throw new Error("not a grey or palette PNG");
  }
  if (header.interlaced) throw new Error("interlaced PNG");
  const { width, height, depth } = header;
  const bytes = await promisify(inflate)(Buffer.concat(dataChunks(file)));
  const stride = Math.ceil((width * depth) / 8);
  if (bytes.length < height * (stride + 1)) throw new Error("too few pixels");
  const values = new Uint16Array(width * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1);
    const line = new Uint8Array(bytes.subarray(start + 1, start + 1 + stride));
    unfilter(bytes[start], line, above, depth === 16 ? 2 : 1);
    unpack(line, depth, values.subarray(y * width, (y + 1) * width));
    above = line;
  }
  return { width, height, values };
}

function dataChunks(file: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 8; ;) {
    if (at + 12 > file.length) throw new Error("truncated");
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    if (at + 12 + length > file.length) throw new Error("truncated");
    if (type === "IDAT") chunks.push(file.subarray(at + 8, at + 8 + length));
    if (type === "IEND") return chunks;
    at += 12 + length;
  }
}

/** Undoes a scanline's filter in place; `step` is the number of bytes in a pixel, at least 1. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  if (filter > 4) throw new Error(`unknown filter ${filter}`);
  if (filter === 0) return;
  for (let i = 0; i < line.length; i++) {
    const left = i < step ? 0 : line[i - step];
    const up = above[i];
    const corner = i < step ? 0 : above[i - step];
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += up;
    else if (filter === 3) line[i] += (left + up) >> 1;
    else line[i] += paeth(left, up, corner);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function unpack(line: Uint8Array, depth: number, values: Uint16Array): void {
  for (let x = 0; x < values.length; x++) {
    if (depth === 16) values[x] = (line[2 * x] << 8) | line[2 * x + 1];
    else {
      const bit = x * depth;
      values[x] = (line[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  }
}
