import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { DataError } from "../../src/data/data-error.ts";
import { decodeMask, decodePair, decodePhoto } from "../../src/data/decode.ts";
import { readPngValues } from "../../src/data/png-values.ts";
import { folderOf, greyPng, photo } from "./folder.ts";
import { groundtruth, matFile } from "./mat-file.ts";

async function mask(bytes: Uint8Array, name = "m.png") {
  return decodeMask(join(await folderOf({ [name]: bytes }), name));
}

async function picture(bytes: Uint8Array) {
  return decodePhoto(join(await folderOf({ p: bytes }), "p"));
}

async function sentence(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).not.toContain("\n");
  return message;
}

/** A PNG of packed scanlines, each without a filter. Our reader does not look at checksums, so they are zero. */
function png(
  width: number,
  depth: number,
  colourType: number,
  lines: number[][],
  interlaced = false,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(lines.length, 4);
  header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type, "latin1"), data, Buffer.alloc(4)]);
  };
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.from(lines.flatMap((line) => [0, ...line])))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

test("a photo of any kind becomes 8-bit RGB", async () => {
  const rgb = await picture(await photo(7, 5).png().toBuffer());
  const expected = await photo(7, 5).raw().toBuffer();
  expect([rgb.width, rgb.height]).toEqual([7, 5]);
  expect([...rgb.pixels]).toEqual([...expected]);

  const alpha = await picture(await photo(7, 5).ensureAlpha(0.5).png().toBuffer());
  expect([...alpha.pixels]).toEqual([...expected]);
  const grey = await picture(await greyPng(4, 3, (x) => 60 * x));
  expect([...grey.pixels.subarray(0, 12)]).toEqual([0, 0, 0, 60, 60, 60, 120, 120, 120, 180, 180, 180]);
  const deep = sharp(Uint16Array.of(0, 65535, 128 * 257), { raw: { width: 1, height: 1, channels: 3 } });
  const deepPng = await deep.toColourspace("rgb16").png().toBuffer();
  expect((await sharp(deepPng).metadata()).depth).toBe("ushort");
  expect([...(await picture(deepPng)).pixels]).toEqual([0, 255, 128]);
  const palette = await photo(7, 5).png({ palette: true }).toBuffer();
  expect((await picture(palette)).pixels).toHaveLength(105);
  const cmyk = await photo(16, 16).toColourspace("cmyk").jpeg().toBuffer();
  expect((await sharp(cmyk).metadata()).channels).toBe(4);
  expect((await picture(cmyk)).pixels).toHaveLength(768);
});

test("a photo is turned as its EXIF orientation says", async () => {
  const turned = await picture(await photo(8, 4).withMetadata({ orientation: 6 }).jpeg().toBuffer());
  expect([turned.width, turned.height]).toEqual([4, 8]);
});

test("a mask's values are its classes, in grey, RGB and grey with alpha", async () => {
  const values = [0, 1, 2, 10, 11, 12, 20, 21, 22];
  const grey = await greyPng(3, 3, (x, y) => 10 * y + x);
  expect([...(await mask(grey)).labels]).toEqual(values);
  expect([...(await mask(await sharp(grey).toColourspace("srgb").png().toBuffer())).labels]).toEqual(values);
  const withAlpha = await sharp(grey).toColourspace("b-w").ensureAlpha(0).png().toBuffer();
  expect([...(await mask(withAlpha)).labels]).toEqual(values);
});

test("a mask's stored numbers count: palette indices, and greys of 1, 2, 4 and 16 bits unstretched", async () => {
  expect([...(await mask(png(3, 8, 3, [[5, 0, 58]]))).labels]).toEqual([5, 0, 58]);
  expect([
    ...(
      await mask(
        png(5, 4, 3, [
          [0x12, 0x3f, 0x50],
          [0, 0, 0],
        ]),
      )
    ).labels,
  ]).toEqual([1, 2, 3, 15, 5, 0, 0, 0, 0, 0]);
  expect([...(await mask(png(9, 1, 0, [[0b10110000, 0b10000000]]))).labels]).toEqual([
    1, 0, 1, 1, 0, 0, 0, 0, 1,
  ]);
  expect([...(await mask(png(3, 2, 0, [[0b11100100]]))).labels]).toEqual([3, 2, 1]);
  expect([...(await mask(png(2, 16, 0, [[0, 58, 0, 7]]))).labels]).toEqual([58, 7]);
  expect(await sentence(mask(png(2, 16, 0, [[0, 58, 1, 7]])))).toContain("has class 263 at pixel (1, 0)");
  expect(await sentence(mask(png(1, 1, 0, [[0]], true)))).toContain("interlaced PNG");
});

test("the PNG reader agrees with sharp on every kind of scanline filter", async () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.nat());
  await fc.assert(
    fc.asyncProperty(sizes, async ([width, height, seed]) => {
      const noisy = (x: number, y: number): number => (x * 3 + y * 5 + ((x * y + seed) % 7)) % 256;
      const pixels = Uint8Array.from({ length: width * height }, (_, i) => noisy(i % width, (i / width) | 0));
      const file = await sharp(pixels, { raw: { width, height, channels: 1 } })
        .toColourspace("b-w")
        .png({ adaptiveFiltering: true })
        .toBuffer();
      expect([...(await readPngValues(file)).values]).toEqual([...pixels]);
    }),
    { numRuns: 25 },
  );
});

test("a mask with a class too high names file, class and pixel", async () => {
  const message = await sentence(
    mask(await greyPng(4, 3, (x, y) => (x === 2 && y === 1 ? 200 : 3)), "0007.png"),
  );
  expect(message).toMatch(/0007\.png has class 200 at pixel \(2, 1\).* use the classes 0 to 58 only\.$/);
  const jpeg = await sharp(await greyPng(8, 8, () => 120))
    .jpeg()
    .toBuffer();
  expect(await sentence(mask(jpeg, "m.jpg"))).toContain(
    "save masks as PNG, since JPEG changes their numbers",
  );
});

test("a mask in colour is refused", async () => {
  expect(await sentence(mask(await photo(4, 4).png().toBuffer()))).toContain("is in colour: red 128");
});

test("truncated, empty and other files are told in a sentence", async () => {
  const full = await photo(64, 64).png().toBuffer();
  const jpeg = await photo(64, 64).jpeg().toBuffer();
  for (const bytes of [full, jpeg]) {
    for (const length of [bytes.length - 30, bytes.length >> 1, 20, 0]) {
      const message = await sentence(picture(bytes.subarray(0, length)));
      expect(message).toMatch(/^The photo .* cannot be decoded \(.*\): it is truncated, damaged/);
    }
  }
  const grey = await greyPng(64, 64, (x, y) => (x * y) % 59);
  const palette = png(
    64,
    8,
    3,
    Array.from({ length: 64 }, (_, y) => Array.from({ length: 64 }, (_, x) => (x * y) % 59)),
  );
  for (const bytes of [grey, palette]) {
    for (const length of [bytes.length - 20, bytes.length >> 1, 40, 0]) {
      expect(await sentence(mask(bytes.subarray(0, length)))).toMatch(/^The mask .* cannot be decoded/);
    }
  }
  expect(await sentence(picture(Buffer.from("not a picture at all, only words")))).toContain(
    "cannot be decoded",
  );
  expect(await sentence(decodePhoto(join(await folderOf(), "none.png")))).toContain(
    "none.png cannot be read",
  );
});

test("a mask of another size than its photo is told with both sizes", async () => {
  const folder = await folderOf({
    "i.png": await photo(6, 4).png().toBuffer(),
    "m.png": await greyPng(4, 6, () => 0),
  });
  const pair = { name: "0", image: join(folder, "i.png"), mask: join(folder, "m.png") };
  expect(await sentence(decodePair(pair))).toContain(
    "m.png is 4×6 pixels and its photo 6×4: give both the same size.",
  );
  await writeFile(join(folder, "m.mat"), matFile([groundtruth([[1, 2, 3]])]));
  expect(await sentence(decodePair({ ...pair, mask: join(folder, "m.mat") }))).toContain(
    "m.mat is 3×1 pixels and its photo 6×4: give both the same size.",
  );
});
