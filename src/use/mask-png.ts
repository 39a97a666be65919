import { crc32 } from "../files/crc32.ts";
import { chunksOf } from "../data/png/chunks.ts";
import type { Chunk } from "../data/png/chunks.ts";
import { sharp } from "../data/sharp.ts";
import { classColour } from "../masks/palette.ts";
import type { MaskPng } from "./mask-kinds.ts";

const SIGNATURE_BYTES = 8;
/** Of the colour type in `IHDR`, and its value for pixels that are places in a palette. */
const COLOUR_TYPE_AT = 9;
const INDEXED = 3;

/** An 8-bit PNG of a mask `[height, width]`. */
export async function maskPng(
  mask: Uint8Array,
  { width, height }: { width: number; height: number },
  kind: MaskPng,
): Promise<Buffer> {
  const grey = await sharp(mask, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();
  return kind === "grey" ? grey : indexed(grey);
}

/** Pixels of 8 bits are stored alike, whether grey or indexed (PNG specification, third edition, §11.2.1): only the header differs. */
function indexed(grey: Buffer): Buffer {
  const pieces = [grey.subarray(0, SIGNATURE_BYTES)];
  for (const { type, data } of chunksOf(grey)) {
    if (type === "IHDR") {
      const header = Buffer.from(data);
      header[COLOUR_TYPE_AT] = INDEXED;
      const colours = Array.from({ length: 256 }, (_, label) => classColour(label).slice(1)).join("");
      pieces.push(chunk({ type, data: header }), chunk({ type: "PLTE", data: Buffer.from(colours, "hex") }));
    } else if (type === "IDAT" || type === "IEND") pieces.push(chunk({ type, data }));
  }
  return Buffer.concat(pieces);
}

function chunk({ type, data }: Chunk): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}
