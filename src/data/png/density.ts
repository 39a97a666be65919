import { crc32 } from "../../files/crc32.ts";
import { chunksOf } from "./chunks.ts";

const INCH = 0.0254;

/** Makes a PNG say in place, where it says so at all, how many of its pixels are an inch (`pHYs`, PNG specification, third edition, §11.3.4.3). */
export function setDensity(png: Buffer, pixelsAnInch: number): void {
  for (const { type, data } of chunksOf(png)) {
    if (type === "IDAT") return;
    if (type !== "pHYs") continue;
    const pixelsAMetre = Math.floor(pixelsAnInch / INCH);
    data.writeUInt32BE(pixelsAMetre, 0);
    data.writeUInt32BE(pixelsAMetre, 4);
    const begin = data.byteOffset - png.byteOffset;
    png.writeUInt32BE(crc32(png.subarray(begin - 4, begin + data.length)), begin + data.length);
    return;
  }
}
