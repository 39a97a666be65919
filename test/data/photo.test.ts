import sharp from "sharp";
import { expect, test } from "vitest";
import { openPhoto } from "../../src/data/photo.ts";
import { chunk, palette, pngFile } from "./png-file.ts";
import { sentence } from "./sentence.ts";
import { tiffFile } from "./tiff-file.ts";

async function read(bytes: Uint8Array): Promise<{ pixels: number[]; remarks: readonly string[] }> {
  const opened = await openPhoto(Buffer.from(bytes), "p");
  const { photo, remarks } = await opened.decode();
  expect(photo.pixels).toHaveLength(3 * photo.width * photo.height);
  return { pixels: [...photo.pixels], remarks };
}

const png = (colourType: number, depth: number, samples: number[], chunks: Buffer[] = []): Buffer =>
  pngFile({
    width: samples.length / [1, 0, 3, 1, 2, 0, 4][colourType],
    height: 1,
    depth,
    colourType,
    samples,
    chunks,
  });

const pixels = (...values: number[]): unknown => ({ pixels: values, remarks: [] });

test("grey, palette and transparent pictures have the colours that are stored in them", async () => {
  expect(await read(png(0, 8, [0, 100, 255]))).toEqual(pixels(0, 0, 0, 100, 100, 100, 255, 255, 255));
  expect(await read(png(0, 2, [1, 3]))).toEqual(pixels(85, 85, 85, 255, 255, 255));
  expect(await read(png(4, 8, [100, 0, 50, 255]))).toEqual(pixels(100, 100, 100, 50, 50, 50));
  expect(await read(png(6, 8, [1, 2, 3, 0, 4, 5, 6, 128]))).toEqual(pixels(1, 2, 3, 4, 5, 6));
  const colours = [palette([9, 8, 7], [200, 100, 50]), chunk("tRNS", Buffer.of(255, 0))];
  expect(await read(png(3, 8, [1, 0], colours))).toEqual(pixels(200, 100, 50, 9, 8, 7));
});

test("of 16 bits the upper 8 are taken; 12 bits in 16 are noticed, scaled and said", async () => {
  expect(await read(png(0, 16, [4096, 65535]))).toEqual(pixels(16, 16, 16, 255, 255, 255));
  expect(await read(png(2, 16, [0, 128 * 256, 65535]))).toEqual(pixels(0, 128, 255));
  expect(await read(png(6, 16, [0, 256, 65535, 0]))).toEqual(pixels(0, 1, 255));
  expect(await read(png(2, 16, [0, 2048, 4095]))).toEqual({ pixels: [0, 128, 255], remarks: ["twelveBits"] });
  // A format that says how many bits it has is believed.
  const dark = sharp(new Uint8Array(64 * 64 * 3).fill(10), { raw: { width: 64, height: 64, channels: 3 } });
  const avif = await read(await dark.avif({ bitdepth: 12, lossless: true }).toBuffer());
  expect(avif.remarks).toEqual([]);
  expect(avif.pixels.every((value) => Math.abs(value - 10) <= 1)).toBe(true);
});

test("floating-point numbers within 0 and 1 are scaled, others refused, and so are whole ones of 32 bits", async () => {
  expect(await read(tiffFile(3, 1, "float", [0, 0.5, 1]))).toEqual(
    pixels(0, 0, 0, 128, 128, 128, 255, 255, 255),
  );
  expect(await read(tiffFile(2, 3, "float", [0, 0.25, 1, 1, 0.5, 0]))).toEqual(
    pixels(0, 64, 255, 255, 128, 0),
  );
  expect(await sentence(read(tiffFile(2, 1, "float", [0, 128])))).toMatch(
    /p holds floating-point numbers, 128 among them, where only those from 0, black, to 1, white, are read/,
  );
  expect(await sentence(read(tiffFile(2, 1, "float", [0, NaN])))).toContain("NaN among them");
  expect(await sentence(read(tiffFile(2, 1, "uint", [0, 70000])))).toContain(
    "that is not read here (uint, b-w)",
  );
});

test("CMYK becomes the colour that was meant", async () => {
  const background = { r: 200, g: 90, b: 60 };
  const file = await sharp({ create: { width: 16, height: 16, channels: 3, background } })
    .toColourspace("cmyk")
    .jpeg({ quality: 100 })
    .toBuffer();
  const { pixels: values } = await read(file);
  [200, 90, 60].forEach((expected, c) => expect(Math.abs(values[c] - expected)).toBeLessThan(40));
});
