/**
 * @file PNGs as numbers. Image libraries look a palette's colours up, stretch greys of few bits, cut 16 bits to 8 and apply
 * profiles; in a mask the stored number is what counts.
 */
import { promisify } from "node:util";
import { constants, inflate } from "node:zlib";
import type { ZlibOptions } from "node:zlib";
import { messageOf } from "../../message-of.ts";
import { chunksOf, isPng } from "./chunks.ts";
import { unfilter } from "./filters.ts";
import { headerOf, PALETTE } from "./header.ts";
import type { PngHeader } from "./header.ts";
import { bytesOf, passesOf } from "./passes.ts";
import type { Pass } from "./passes.ts";

/** A PNG whose pixels are still compressed. */
export interface Png extends PngHeader {
  /** Red, green and blue of each colour of the palette, 0 to 255; only of colour type `PALETTE`. */
  readonly palette: Buffer | undefined;
  /** The chunk `tRNS`: opacities of a palette's first colours, or the samples (16 bits each) of the pixels to be left out. */
  readonly transparency: Buffer | undefined;
  /** Whether there is a chunk `eXIf`. */
  readonly hasExif: boolean;
  /** The compressed scanlines. */
  readonly data: readonly Buffer[];
}

/** `[height, width, channels]`, as stored: neither scaled nor looked up. */
export type Samples = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

/**
 * All of a PNG but its pixels.
 * @throws Error of a few words when the file is truncated, damaged or no PNG.
 */
export function openPng(file: Buffer): Png {
  if (!isPng(file)) throw new Error("it is no PNG");
  let header: PngHeader | undefined;
  let palette: Buffer | undefined;
  let transparency: Buffer | undefined;
  let hasExif = false;
  const data: Buffer[] = [];
  for (const chunk of chunksOf(file)) {
    if ((header === undefined) !== (chunk.type === "IHDR")) {
      throw new Error(header ? "it has two headers" : "it does not begin with its header");
    }
    if (chunk.type === "IHDR") header = headerOf(chunk.data);
    else if (chunk.type === "PLTE") palette = chunk.data;
    else if (chunk.type === "tRNS") transparency = chunk.data;
    else if (chunk.type === "eXIf") hasExif = true;
    else if (chunk.type === "IDAT") data.push(chunk.data);
    else if (chunk.type !== "IEND" && isCritical(chunk.type)) {
      throw new Error(`it cannot be read without its chunk ${JSON.stringify(chunk.type)}, which is unknown`);
    }
  }
  if (header!.colourType !== PALETTE) palette = undefined;
  else if (palette === undefined || palette.length === 0 || palette.length > 768 || palette.length % 3 > 0) {
    throw new Error(palette ? `its palette has ${palette.length} bytes` : "it has no palette");
  }
  return { ...header!, palette, transparency, hasExif, data };
}

/** Capital first letters are for chunks without which a picture means something else. */
const isCritical = (type: string): boolean => /^[A-Z]/.test(type);

/**
 * The pixels of a PNG. Inflates in libuv's pool, to no more bytes than the header says.
 * @throws Error of a few words when the pixels are damaged, too few or too many.
 */
export async function samplesOf(png: Png): Promise<Samples> {
  const { width, height, depth, channels } = png;
  const passes = passesOf(png);
  const scanlines = await inflated(png.data, bytesOf(passes));
  const samples = new (depth === 16 ? Uint16Array : Uint8Array)(width * height * channels);
  let at = 0;
  for (const pass of passes) {
    let above: Uint8Array = new Uint8Array(pass.stride);
    for (let row = 0; row < pass.height; row++) {
      const line = scanlines.subarray(at + 1, at + 1 + pass.stride);
      unfilter(scanlines[at], line, above, Math.max(1, (channels * depth) / 8));
      place(line, row, pass, png, samples);
      above = line;
      at += 1 + pass.stride;
    }
  }
  return samples;
}

/** The scanlines, which have to be `length` bytes and all that was compressed. */
async function inflated(data: readonly Buffer[], length: number): Promise<Buffer> {
  const compressed = Buffer.concat(data);
  const chunkSize = Math.max(constants.Z_MIN_CHUNK, Math.min(length, 2 ** 20));
  try {
    const { buffer, engine } = await inflateWithInfo(compressed, {
      maxOutputLength: length,
      chunkSize,
      info: true,
    });
    if (buffer.length < length) throw new Error("they are fewer than its header says");
    const left = compressed.length - engine.bytesWritten;
    if (left > 0) throw new Error(`${left} bytes follow the last of them`);
    return buffer;
  } catch (error) {
    const tooMany = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    const what = tooMany ? "they are more than its header says" : messageOf(error);
    throw new Error(`its pixels are damaged: ${what}`, { cause: error });
  }
}

/** What zlib answers when asked for `info`, which its types do not know; `bytesWritten` are those it has used up. */
const inflateWithInfo = promisify(inflate) as unknown as (
  data: Buffer,
  options: ZlibOptions,
) => Promise<{ buffer: Buffer; engine: { bytesWritten: number } }>;

/** Puts the samples of a scanline where they belong. */
function place(
  line: Uint8Array,
  row: number,
  pass: Pass,
  { width, channels, depth }: Png,
  to: Samples,
): void {
  const start = ((pass.y + row * pass.dy) * width + pass.x) * channels;
  if (depth === 8 && pass.dx === 1) {
    to.set(line, start);
    return;
  }
  const read = depth === 8 ? byte : depth === 16 ? word : bits(depth);
  for (let x = 0; x < pass.width; x++) {
    const pixel = start + x * pass.dx * channels;
    for (let c = 0; c < channels; c++) to[pixel + c] = read(line, x * channels + c);
  }
}

const byte = (line: Uint8Array, i: number): number => line[i];
const word = (line: Uint8Array, i: number): number => (line[2 * i] << 8) | line[2 * i + 1];
/** Sample i of `depth` bits, the first in the highest ones. */
const bits =
  (depth: number) =>
  (line: Uint8Array, i: number): number =>
    (line[(i * depth) >> 3] >> (8 - depth - ((i * depth) & 7))) & ((1 << depth) - 1);
