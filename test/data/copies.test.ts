import { expect, test } from "vitest";
import { FIXED_AUGMENTATIONS } from "../../src/data/augment.ts";
import { copies } from "../../src/data/copies.ts";
import { DataError } from "../../src/data/data-error.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";

const dataset = new GeneratedDataset({ size: 3, imageSize: 16 });
const names = ["original", "hue", "crop", "flip_up_down"] as const;

test("copies follow one another in the order given, each a whole data set", async () => {
  const all = copies(dataset, names, { maskInterpolation: "bilinear" });
  expect([all.size, all.imageSize, all.classNames]).toEqual([12, dataset.imageSize, dataset.classNames]);
  expect(all.names).toEqual([
    ...["generated-0000", "generated-0001", "generated-0002"],
    ...["generated-0000 (hue)", "generated-0001 (hue)", "generated-0002 (hue)"],
    ...["generated-0000 (crop)", "generated-0001 (crop)", "generated-0002 (crop)"],
    ...["generated-0000 (flip_up_down)", "generated-0001 (flip_up_down)", "generated-0002 (flip_up_down)"],
  ]);
  for (let index = 0; index < all.size; index++) {
    const original = await dataset.load(index % 3);
    const expected = FIXED_AUGMENTATIONS[names[Math.floor(index / 3)]](original, {
      maskInterpolation: "bilinear",
    });
    expect(await all.load(index)).toEqual(expected);
  }
  for (const index of [-1, 12, 0.5]) await expect(all.load(index)).rejects.toThrow(DataError);
});

test("keeps as many augmented samples as memory allows, and the data set's own as they are", async () => {
  const two = copies(dataset, names, { cacheBytes: 2 * 16 * 16 * 13 });
  expect(await two.load(1)).toBe(await dataset.load(1));
  for (const index of [3, 4]) expect(await two.load(index)).toBe(await two.load(index));
  expect(await two.load(5)).not.toBe(await two.load(5));
  expect(await two.load(5)).toEqual(await two.load(5));
});
