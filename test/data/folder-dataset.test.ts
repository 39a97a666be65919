import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { IGNORE } from "../../src/data/dataset.ts";
import { FolderDataset } from "../../src/data/folder-dataset.ts";
import { folderOf, greyPng, photo } from "./folder.ts";

async function twoPairs(): Promise<string> {
  return folderOf({
    "images/a.jpg": await photo(20, 30).jpeg().toBuffer(),
    "images/b.png": await photo(9, 7).png().toBuffer(),
    "masks/a.png": await greyPng(20, 30, (x) => (x < 10 ? 0 : 58)),
    "masks/b.png": await greyPng(9, 7, (_, y) => y),
    "labels.csv": "label,name\n58,wedges\n",
  });
}

test("samples have the asked size, floats in [0, 1] and the masks' own classes", async () => {
  const dataset = await FolderDataset.open(await twoPairs(), { imageSize: 16 });
  expect([dataset.size, dataset.names, dataset.classNames[58]]).toEqual([2, ["a", "b"], "wedges"]);
  const { image, mask } = await dataset.load(0);
  expect([image.length, mask.length]).toEqual([768, 256]);
  expect(image.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(Math.max(...image)).toBeGreaterThan(0.6);
  expect(new Set(mask)).toEqual(new Set([0, 58]));
  await expect(dataset.load(2)).rejects.toThrow("There is no photo 2 among 2");
});

test("a rectangle is filled, height by width", async () => {
  const size = { height: 8, width: 24 };
  const dataset = await FolderDataset.open(await twoPairs(), { imageSize: size });
  expect(dataset.imageSize).toEqual(size);
  const sample = await dataset.load(0);
  expect(sample).toMatchObject(size);
  expect([sample.image.length, sample.mask.length]).toEqual([3 * 8 * 24, 8 * 24]);
  // The wedge begins in the middle of the width, whatever that is.
  expect([...sample.mask.subarray(24 * 4 + 11, 24 * 4 + 13)]).toEqual([0, 58]);
});

test("a letterboxed photo is in the middle, and what is around it does not count", async () => {
  const dataset = await FolderDataset.open(await twoPairs(), { imageSize: 16, resize: "letterbox" });
  expect([dataset.ignores, dataset.resize]).toEqual([true, "letterbox"]);
  // Of 20 × 30 pixels, it is 11 × 16 there.
  const { mask } = await dataset.load(0);
  for (let row = 0; row < 16; row++) {
    const line = [...mask.subarray(16 * row, 16 * (row + 1))];
    const [around, inside] = [[...line.slice(0, 2), ...line.slice(13)], line.slice(2, 13)];
    expect(around).toEqual(Array(5).fill(IGNORE));
    expect(new Set(inside)).toEqual(new Set([0, 58]));
  }
});

test("of a photo that is to cover its size the middle is taken, and all of it counts", async () => {
  const dataset = await FolderDataset.open(await twoPairs(), { imageSize: 10, resize: "short-side" });
  expect(dataset.ignores).toBe(false);
  const { mask } = await dataset.load(0);
  expect([...mask.subarray(0, 10)]).toEqual([...Array<number>(5).fill(0), ...Array<number>(5).fill(58)]);
});

test("with 256 classes no number is left for what is around a photo", async () => {
  const folder = await twoPairs();
  await expect(
    FolderDataset.open(folder, { imageSize: 16, resize: "letterbox", classes: 256, ignoreLabel: null }),
  ).rejects.toThrow(/^With the 256 classes of .* no number is left for the pixels around a photo/);
});

test("masks may be interpolated and truncated, which invents classes between", async () => {
  const options = { imageSize: 15, maskInterpolation: "bilinear" } as const;
  const { mask } = await (await FolderDataset.open(await twoPairs(), options)).load(0);
  // (i + 0.5) · 20 / 15 − 0.5 = 9.5 at i = 7: half way between 0 and 58.
  expect([...mask.subarray(6, 9)]).toEqual([0, 29, 58]);
});

test("reads each file once, unless memory is short", async () => {
  const folder = await twoPairs();
  const dataset = await FolderDataset.open(folder, { imageSize: 16 });
  const progress: number[] = [];
  await dataset.readAll({ onProgress: (done) => progress.push(done) });
  expect(progress).toEqual([1, 2]);
  const tight = await FolderDataset.open(folder, { imageSize: 16, cacheBytes: 16 * 16 * 13 });
  await tight.load(0);
  await tight.load(1);
  await rm(join(folder, "images"), { recursive: true });
  expect(await dataset.load(1)).toBe(await dataset.load(1));
  await tight.load(0);
  await expect(tight.load(1)).rejects.toThrow("b.png cannot be read");
});

test("a file that cannot be used is told by readAll, and can be mended", async () => {
  const folder = await twoPairs();
  const good = await greyPng(9, 7, () => 1);
  await writeFile(join(folder, "masks/b.png"), good.subarray(0, 50));
  const dataset = await FolderDataset.open(folder, { imageSize: 16 });
  await expect(dataset.readAll()).rejects.toThrow(/The mask .*b\.png cannot be decoded/);
  await writeFile(join(folder, "masks/b.png"), good);
  await dataset.readAll();
  expect((await dataset.load(1)).mask.every((label) => label === 1)).toBe(true);
  await expect(dataset.readAll({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow(
    "stopped",
  );
});

test("all files that cannot be used are told of at once, the first ten with what is wrong", async () => {
  const files: Record<string, Uint8Array | string> = {};
  for (let i = 10; i < 22; i++) {
    files[`images/${i}.png`] = i === 12 ? "words" : await photo(4, 4).png().toBuffer();
    files[`masks/${i}.png`] = await (i === 20 ? greyPng(4, 4, () => 1) : greyPng(4, 4, () => 99));
  }
  const dataset = await FolderDataset.open(await folderOf(files), {
    imageSize: 8,
    classes: 59,
    ignoreLabel: null,
  });
  const error = (await dataset.readAll().catch((e: unknown) => e)) as Error;
  const lines = error.message.split("\n");
  expect(lines[0]).toBe("12 photos and masks cannot be used:");
  expect(
    lines.slice(1, 11).map((line) => /^ {2}The (\w+ )\S*\/(\d+)\.png /.exec(line)?.slice(1).join("")),
  ).toEqual([
    ...[
      "mask 10",
      "mask 11",
      "photo 12",
      "mask 12",
      "mask 13",
      "mask 14",
      "mask 15",
      "mask 16",
      "mask 17",
      "mask 18",
    ],
  ]);
  expect(lines.slice(11)).toEqual(["  … and 2 more."]);
});

const real = process.env.BESPOKE_DATA;
if (real === undefined) console.log("folder data set: BESPOKE_DATA is not set, so no real photos are read");

test.skipIf(real === undefined)("reads real photos", async () => {
  const dataset = await FolderDataset.open(real!, { imageSize: 32 });
  const indices = [0, Math.floor(dataset.size / 2), dataset.size - 1];
  await dataset.readAll({ indices });
  for (const index of indices) {
    const { image, mask } = await dataset.load(index);
    expect(image.some((value) => value > 0.3)).toBe(true);
    expect(new Set(mask).size).toBeGreaterThan(2);
  }
});
