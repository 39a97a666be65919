import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { IGNORE } from "../../src/data/dataset.ts";
import { FolderDataset } from "../../src/data/folder-dataset.ts";
import type { FolderOptions } from "../../src/data/folder-dataset.ts";
import { folderOf, greyPng, photo } from "./folder.ts";
import { palette, pngFile } from "./png-file.ts";

/** A set of one photo of 4 × 1 pixels. */
async function one(mask: Buffer, files: Record<string, string> = {}): Promise<string> {
  return folderOf({ "images/a.png": await photo(4, 1).png().toBuffer(), "masks/a.png": mask, ...files });
}

const rgb = (...colours: number[]): Promise<Buffer> =>
  sharp(Uint8Array.from(colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255])), {
    raw: { width: colours.length, height: 1, channels: 3 },
  })
    .png()
    .toBuffer();

async function opened(folder: string, options: Partial<FolderOptions> = {}) {
  const said: string[] = [];
  const dataset = await FolderDataset.open(folder, {
    imageSize: 4,
    ...options,
    onWarning: (sentence) => said.push(sentence),
  });
  const { mask } = await dataset.load(0);
  return { classNames: dataset.classNames, ignores: dataset.ignores, labels: [...mask.subarray(0, 4)], said };
}

test("a binary mask of 0 and 255 is of two classes", async () => {
  const { classNames, labels } = await opened(await one(await greyPng(4, 1, (x) => (x < 2 ? 0 : 255))));
  expect([classNames, labels]).toEqual([
    ["background", "foreground"],
    [0, 0, 1, 1],
  ]);
});

test("255 above the classes does not count", async () => {
  const { ignores, labels, said } = await opened(await one(await greyPng(4, 1, (x) => [0, 1, 2, 255][x])));
  expect([ignores, labels]).toEqual([true, [0, 1, 2, IGNORE]]);
  expect(said[1]).toContain("Value 255 does not count");
});

test("numbers that do not count cannot be averaged with classes", async () => {
  const folder = await one(await greyPng(4, 1, (x) => [0, 1, 2, 255][x]));
  await expect(opened(folder, { maskInterpolation: "bilinear" })).rejects.toThrow(
    "bilinear would mix their number with classes",
  );
  expect((await opened(folder, { maskInterpolation: "auto" })).labels).toEqual([0, 1, 2, IGNORE]);
});

test("masks in colour are read by a label map, by class_dict.csv, and a palette by its colours", async () => {
  const mask = await rgb(0x000000, 0xff0000, 0xff0001, 0xffffff);
  const map = join(
    await folderOf({ "map.csv": "#000000,road\n#ff0000,car\n#ff0001,car\n255 255 255,ignore\n" }),
    "map.csv",
  );
  const expected = { classNames: ["road", "car"], ignores: true, labels: [0, 1, 1, IGNORE] };
  expect(await opened(await one(mask), { labelMap: map })).toMatchObject(expected);
  const indexed = pngFile({
    ...{ width: 4, height: 1, depth: 8, colourType: 3, samples: [2, 0, 1, 3] },
    chunks: [palette([255, 0, 0], [255, 0, 1], [0, 0, 0], [255, 255, 255])],
  });
  expect(await opened(await one(indexed), { labelMap: map })).toMatchObject(expected);
  const dictionary = {
    "class_dict.csv": "name,r,g,b\nroad,0,0,0\ncar,255,0,0\nbus,255,0,1\nsky,255,255,255\n",
  };
  expect(await opened(await one(mask, dictionary))).toMatchObject({
    classNames: ["road", "car", "bus", "sky"],
    labels: [0, 1, 2, 3],
  });
  const little = { "class_dict.csv": "name,r,g,b\nroad,0,0,0\ncar,255,0,0\n" };
  await expect(opened(await one(mask, little))).rejects.toThrow(
    /a\.png has colour #ff0001 at pixel \(2, 0\), counted from the top left: use those of the 2 classes only, or say what it is with --label-map, a file with the line #ff0001,CLASS or #ff0001,ignore/,
  );
});

test("numbers of 16 bits may be mapped", async () => {
  const samples = [0, 1000, 1001, 2000];
  const mask = pngFile({ width: 4, height: 1, depth: 16, colourType: 0, samples });
  const map = join(await folderOf({ "map.csv": "1000-1999,cell\n2000,ignore\n0,background\n" }), "map.csv");
  expect(await opened(await one(mask), { labelMap: map })).toMatchObject({
    classNames: ["cell", "background"],
    labels: [1, 0, 0, IGNORE],
  });
});

test("256 classes use all numbers, and none is left for pixels that do not count", async () => {
  const samples = await greyPng(256, 1, (x) => x);
  const folder = await folderOf({
    "images/a.png": await photo(256, 1).png().toBuffer(),
    "masks/a.png": samples,
  });
  const dataset = await FolderDataset.open(folder, { imageSize: 256 });
  expect([dataset.classNames.length, dataset.ignores]).toEqual([256, false]);
  expect((await dataset.load(0)).mask[255]).toBe(255);
});

test("what masks hold is counted once, and again where they have changed", async () => {
  const folder = await one(await greyPng(4, 1, (x) => x));
  const cacheFolder = join(await folderOf(), "cache");
  const names = async (): Promise<readonly string[]> =>
    (await FolderDataset.open(folder, { imageSize: 4, cacheFolder })).classNames;
  expect(await names()).toHaveLength(4);
  const [file] = await readdir(cacheFolder);
  expect(file).toMatch(/^masks-[0-9a-f]{16}\.survey\.json$/);
  expect(await names()).toHaveLength(4);
  await writeFile(join(folder, "masks/a.png"), await greyPng(4, 1, (x) => x + 1));
  expect(await names()).toHaveLength(5);
  await writeFile(join(cacheFolder, file), "{}");
  expect(await names()).toHaveLength(5);
});

test("resized samples of another labelling lie in another file", async () => {
  const folder = await one(await greyPng(4, 1, (x) => x % 3));
  const cacheFolder = await folderOf();
  const labels = async (labelMap: string | null): Promise<number[]> => {
    const dataset = await FolderDataset.open(folder, { imageSize: 4, cacheFolder, labelMap });
    await dataset.readAll();
    return [...(await dataset.load(0)).mask.subarray(0, 4)];
  };
  const map = join(await folderOf({ "map.csv": "2,1\n" }), "map.csv");
  expect([await labels(null), await labels(map), await labels(null)]).toEqual([
    [0, 1, 2, 0],
    [0, 1, 1, 0],
    [0, 1, 2, 0],
  ]);
});
