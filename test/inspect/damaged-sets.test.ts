import { expect, test } from "vitest";
import { inspect } from "../../src/inspect/inspect.ts";
import type { InspectSettings } from "../../src/inspect/inspect.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";

const SETTINGS: InspectSettings = {
  ...{ format: null, classes: null, labelMap: null, ignoreLabel: "auto", lossyMasks: false, splitSeed: 0 },
};

type Files = Record<string, Uint8Array | string>;

/** Four good pairs of two classes, differing from one another. */
async function good(): Promise<Files> {
  const files: Files = {};
  for (const [i, name] of ["a", "b", "c", "d"].entries()) {
    files[`images/${name}.png`] = await photo(12 + i, 10)
      .linear(1, 12 * i)
      .png()
      .toBuffer();
    files[`masks/${name}.png`] = await greyPng(12 + i, 10, (x) => (x < 5 ? 0 : 1));
  }
  return files;
}

/** All that is said of a data set: of one that cannot be listed, the error. */
async function told(
  files: Files,
  settings: Partial<InspectSettings> = {},
): Promise<{ text: string; usable: boolean }> {
  const folder = await folderOf(files);
  try {
    const { report } = await inspect(folder, { ...SETTINGS, ...settings }, { cacheFolder: null });
    const { faults, said, suggestions, duplicates, usable } = report;
    const copies = duplicates.map((group) => `${JSON.stringify(group)}`);
    return {
      text: [...faults, ...said, ...suggestions.map(({ why }) => why), ...copies]
        .join("\n")
        .replaceAll(folder, "DIR"),
      usable,
    };
  } catch (error) {
    return { text: (error as Error).message.replaceAll(folder, "DIR"), usable: false };
  }
}

test("a good set can be trained on, and nothing is wrong with it", async () => {
  const { report } = await inspect(await folderOf(await good()), SETTINGS, { cacheFolder: null });
  expect(report).toMatchObject({
    photos: 4,
    usable: true,
    faults: [],
    duplicates: [],
    sizes: { different: 4, smallest: [12, 10], largest: [15, 10] },
    kinds: { png: 4 },
    split: { own: false, training: 3, validation: 1 },
    classes: [
      { name: "class 0", pixels: 200, photos: 4 },
      { name: "class 1", pixels: 340, photos: 4 },
    ],
  });
});

interface Damage {
  readonly name: string;
  readonly damage: (files: Files) => void | Promise<void>;
  /** What is to be said. */
  readonly words: RegExp;
  /** Whether it can be trained on all the same. */
  readonly usable: boolean;
  readonly settings: Partial<InspectSettings>;
}

const damaged = (
  name: string,
  damage: Damage["damage"],
  words: RegExp,
  usable = false,
  settings: Partial<InspectSettings> = {},
): Damage => ({ name, damage, words, usable, settings });

const DAMAGES: readonly Damage[] = [
  damaged(
    "a truncated photo",
    (f) => void (f["images/b.png"] = (f["images/b.png"] as Buffer).subarray(0, 90)),
    /photo DIR\/images\/b\.png cannot be decoded/,
  ),
  damaged(
    "a truncated mask",
    (f) => void (f["masks/c.png"] = (f["masks/c.png"] as Buffer).subarray(0, 60)),
    /mask DIR\/masks\/c\.png cannot be decoded/,
  ),
  damaged("a mask that is text", (f) => void (f["masks/a.png"] = "hello"), /masks\/a\.png/),
  damaged("an empty photo", (f) => void (f["images/a.png"] = ""), /images\/a\.png/),
  damaged(
    "a git-lfs pointer",
    (f) => void (f["images/a.png"] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    /git-lfs pointer/,
  ),
  damaged(
    "a mask of another size",
    async (f) => void (f["masks/a.png"] = await greyPng(9, 10, () => 1)),
    /masks\/a\.png is 9×10 pixels and its photo 12×10/,
  ),
  damaged(
    "a mask in colour",
    async (f) => void (f["masks/d.png"] = await photo(15, 10).png().toBuffer()),
    /masks\/d\.png is in colour: .* --label-map/,
  ),
  damaged(
    "a mask as JPEG",
    async (f) => void (f["masks/a.png"] = await photo(12, 10).jpeg().toBuffer()),
    /is of JPEG, which changes numbers/,
  ),
  damaged(
    "a photo without a mask",
    (f) => void delete f["masks/b.png"],
    /images\/b\.png has no mask \(1 photo of 4 without one\)/,
  ),
  damaged("a mask without a photo", (f) => void delete f["images/b.png"], /masks\/b\.png has no photo/),
  damaged(
    "two files of a name",
    (f) => void (f["images/a.jpg"] = f["images/a.png"]),
    /hold.* a\.jpg and a\.png, which share a name/,
  ),
  damaged(
    "no masks at all",
    (f) => {
      for (const name of "abcd") delete f[`masks/${name}.png`];
    },
    /There is no folder DIR\/masks/,
  ),
  damaged(
    "one class only",
    async (f) => {
      for (const [i, name] of [..."abcd"].entries())
        f[`masks/${name}.png`] = await greyPng(12 + i, 10, () => 0);
    },
    /All pixels of all masks are 0/,
  ),
  damaged(
    "a value outside of the classes",
    async (f) => {
      f["labels.csv"] = "0,sky\n1,sea\n";
      f["masks/c.png"] = await greyPng(14, 10, (x) => (x === 3 ? 200 : 0));
    },
    /Value 200 is none of the 2 classes from DIR\/labels\.csv: 1 mask has it \(DIR\/masks\/c\.png at pixel \(3, 0\)/,
  ),
  damaged(
    "smoothed edges",
    async (f) => {
      for (const [i, name] of [..."abcd"].entries())
        f[`masks/${name}.png`] = await greyPng(12 + i, 10, (x, y) =>
          x < 6 ? 0 : x > 6 || y < 4 ? 255 : 30 + 24 * y + i,
        );
    },
    /as smoothed edges and JPEG make them/,
  ),
  damaged(
    "a class named twice",
    (f) => void (f["labels.csv"] = "0,sky\n0,sea\n"),
    /labels\.csv, line 2, names class 0 again/,
  ),
  damaged(
    "a list that names no photo",
    (f) => {
      f["train.txt"] = "a\nb\n";
      f["val.txt"] = "c\nz\n";
    },
    /val\.txt, line 2, names "z", and there is no such photo/,
  ),
  damaged(
    "a photo in both lists",
    (f) => {
      f["train.txt"] = "a\nb\n";
      f["val.txt"] = "b\n";
    },
    /val\.txt, line 1, names "b", as .*train\.txt does/,
  ),
  damaged(
    "an empty list",
    (f) => {
      f["train.txt"] = "a\nb\n";
      f["val.txt"] = "\n";
    },
    /val\.txt names no photo/,
  ),
  damaged(
    "the same photo on both sides",
    (f) => {
      f["train.txt"] = "a\nb\n";
      f["val.txt"] = "c\nd\n";
      f["images/c.png"] = f["images/a.png"];
      f["masks/c.png"] = f["masks/a.png"];
    },
    /One group of the same file more than once .* validation will look too good.*\n?.*"exact":true,"acrossSplit":true/s,
    true,
  ),
  damaged(
    "a class in no training photo",
    async (f) => {
      f["train.txt"] = "a\nb\n";
      f["val.txt"] = "c\nd\n";
      f["masks/c.png"] = await greyPng(14, 10, (x) => x % 3);
    },
    /1 class \("class 2"\) occurs in no training photo/,
    true,
  ),
  damaged(
    "values that are passed over",
    async (f) => void (f["masks/c.png"] = await greyPng(14, 10, (x) => (x === 3 ? 255 : x % 2))),
    /Value 255 does not count, .*: 10 pixels of 1 mask/,
    true,
  ),
  damaged(
    "notes between the photos",
    (f) => void (f["images/notes.txt"] = "x"),
    /DIR\/images holds 1 \.txt file besides/,
    true,
  ),
  damaged(
    "a map of an unknown class",
    async (f) => void (f["x"] = await Promise.resolve("")),
    /maps "tuck", which is no class/,
    undefined,
    { labelMap: "test/inspect/unknown-class.csv" },
  ),
];

test.each(DAMAGES)("$name is told", async ({ damage, words, usable, settings }) => {
  const files = await good();
  await damage(files);
  const found = await told(files, settings);
  expect(found.text).toMatch(words);
  expect(found.usable).toBe(usable);
});

test("photos that were saved again look alike", async () => {
  const files = await good();
  const wave = photo(80, 60);
  files["images/a.png"] = await wave.clone().png().toBuffer();
  files["images/b.jpg"] = await wave.clone().jpeg({ quality: 92 }).toBuffer();
  delete files["images/b.png"];
  for (const name of ["a", "b"]) files[`masks/${name}.png`] = await greyPng(80, 60, (x) => x % 2);
  const { report } = await inspect(await folderOf(files), SETTINGS, { cacheFolder: null });
  expect(report.duplicates).toMatchObject([{ photos: ["images/a.png", "images/b.jpg"], exact: false }]);
});
