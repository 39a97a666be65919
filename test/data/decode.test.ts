import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { plainLabelling } from "../../src/data/classes/labelling.ts";
import { decodePair } from "../../src/data/decode.ts";
import { decodeMask } from "../../src/data/mask.ts";
import { decodePhoto } from "../../src/data/photo.ts";
import { folderOf, greyPng, photo } from "./folder.ts";
import { groundtruth, matFile } from "./mat-file.ts";
import { greyPalette, pngFile } from "./png-file.ts";
import { sentence } from "./sentence.ts";

const plain = { labelling: plainLabelling(59) };

async function mask(bytes: Uint8Array, name = "m.png") {
  return decodeMask(join(await folderOf({ [name]: bytes }), name));
}

async function picture(bytes: Uint8Array) {
  return decodePhoto(join(await folderOf({ p: bytes }), "p"));
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
  const samples = Array.from({ length: 64 * 64 }, (_, i) => ((i % 64) * (i >> 6)) % 59);
  const palette = pngFile({
    ...{ width: 64, height: 64, depth: 8, colourType: 3, samples },
    chunks: [greyPalette(...new Array(59).keys())],
  });
  for (const bytes of [grey, palette]) {
    for (const length of [bytes.length - 20, bytes.length >> 1, 40, 0]) {
      expect(await sentence(mask(bytes.subarray(0, length)))).toMatch(/^The mask .* cannot be decoded/);
    }
  }
  expect(await sentence(picture(Buffer.from("not a picture at all, only words")))).toContain(
    "cannot be decoded",
  );
  const pointer = Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  expect(await sentence(picture(pointer))).toMatch(
    /^The photo .* is a git-lfs pointer, not the file itself: run/,
  );
  expect(await sentence(mask(pointer))).toMatch(/^The mask .* is a git-lfs pointer/);
  const heic = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1");
  expect(await sentence(picture(heic))).toMatch(/^The photo .* is a HEIC picture: save it as JPEG\.$/);
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
  expect(await sentence(decodePair(pair, plain))).toContain(
    "m.png is 4×6 pixels and its photo 6×4: give both the same size.",
  );
  await writeFile(join(folder, "m.mat"), matFile([groundtruth([[1, 2, 3]])]));
  expect(await sentence(decodePair({ ...pair, mask: join(folder, "m.mat") }, plain))).toContain(
    "m.mat is 3×1 pixels and its photo 6×4: give both the same size.",
  );
});

test("what is wrong with photo and mask is told in one", async () => {
  const folder = await folderOf({ "i.png": "words", "m.png": "words" });
  const pair = { name: "0", image: join(folder, "i.png"), mask: join(folder, "m.png") };
  await expect(decodePair(pair, plain)).rejects.toThrow(
    /^2 photos and masks cannot be used:\n {2}The photo \S+i\.png cannot be decoded .*\n {2}The mask \S+m\.png cannot be decoded .*$/,
  );
});
