import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DataError } from "../../../src/data/data-error.ts";
import type { Pair } from "../../../src/data/formats/format.ts";
import { openSource } from "../../../src/data/formats/recognise.ts";
import { folderOf } from "../folder.ts";

const empty = (...paths: string[]): Record<string, string> => Object.fromEntries(paths.map((p) => [p, ""]));

async function findPairs(
  folder: string,
  say: (sentence: string) => void = () => {},
): Promise<readonly Pair[]> {
  return (await openSource(folder, null, say)).pairs;
}

async function failure(files: Record<string, string>, ...below: string[]): Promise<string> {
  const folder = join(await folderOf(files), ...below);
  const error: unknown = await findPairs(folder).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).not.toContain("\n");
  expect(message.endsWith(".")).toBe(true);
  return message.replaceAll(folder, "DIR");
}

test("pairs files by name, whatever the extension's case, in code-unit order", async () => {
  const folder = await folderOf(
    empty(
      ...["images/b.JPG", "images/a.jpeg", "images/C.png", "images/10.jpg", "images/9.jpg"],
      ...["masks/b.png", "masks/a.PNG", "masks/C.png", "masks/10.png", "masks/9.jpg"],
      ...["images/notes.txt", "masks/.hidden.png", "images/._a.jpg"],
    ),
  );
  const pairs = await findPairs(folder);
  expect(pairs.map((pair) => pair.name)).toEqual(["10", "9", "C", "a", "b"]);
  expect(pairs[3]).toEqual({
    name: "a",
    image: join(folder, "images", "a.jpeg"),
    mask: join(folder, "masks", "a.PNG"),
  });
});

test("says which folder is missing, empty or no folder", async () => {
  expect(await failure({}, "nowhere")).toBe(
    "There is no folder DIR: give a folder that holds images/ and masks/, or a data set in another format that docs/data.md lists.",
  );
  expect(await failure(empty("pictures/a.png"))).toMatch(
    /^DIR holds no photos and masks in a format known here: give a folder that holds images\/ .* lists\.$/,
  );
  expect(await failure(empty("photos/1.jpg", "label_list.mat"))).toBe(
    "There is no folder DIR/annotations/pixel-level: put the annotations into annotations/pixel-level/.",
  );
  expect(await failure(empty("png_masks/MASKS/seg_1.png"))).toContain(
    "put the photos into png_images/IMAGES/.",
  );
  expect(await failure(empty("file"), "file")).toContain(
    "DIR is not a folder, nor a file of a labelling tool",
  );
  expect(await failure(empty("images/a.png"))).toContain("There is no folder DIR/masks");
  expect(await failure(empty("images/a.txt", "masks/a.png"))).toContain(
    "DIR/images holds no JPEG, PNG, WebP, AVIF, TIFF or GIF file (but 1 .txt file): put at least one there.",
  );
});

test("names the first photo without a mask and the first mask without a photo, and how many", async () => {
  expect(await failure(empty("images/1.jpg", "images/2.jpg", "images/3.jpg", "masks/1.png"))).toBe(
    "DIR/images/2.jpg has no mask (2 photos of 3 without one): add DIR/masks/2.png or remove the photo.",
  );
  expect(await failure(empty("images/1.jpg", "masks/0.png", "masks/1.png"))).toBe(
    "DIR/masks/0.png has no photo (1 mask of 2 without one): add DIR/images/0.jpg or remove the mask.",
  );
});

test("reads the data set as its authors publish it: photos without an annotation are passed over", async () => {
  const published = [
    ...["photos/0002.jpg", "photos/0001.jpg", "photos/1005.jpg", "annotations/image-level/1005.mat"],
    ...["annotations/pixel-level/0001.mat", "annotations/pixel-level/0002.mat", "README.md"],
  ];
  const folder = await folderOf(empty(...published));
  expect(await findPairs(folder)).toEqual(
    ["0001", "0002"].map((name) => ({
      name,
      image: join(folder, "photos", `${name}.jpg`),
      mask: join(folder, "annotations/pixel-level", `${name}.mat`),
    })),
  );
  expect(await failure(empty(...published, "annotations/pixel-level/0003.mat"))).toBe(
    "DIR/annotations/pixel-level/0003.mat has no photo (1 annotation of 3 without one): " +
      "add DIR/photos/0003.jpg or remove the annotation.",
  );
});

test("reads the Kaggle edition, whose photos and masks have names of their own", async () => {
  const edition = (...numbers: string[]): string[] =>
    numbers.flatMap((n) => [`png_images/IMAGES/img_${n}.png`, `png_masks/MASKS/seg_${n}.png`]);
  const folder = await folderOf(empty(...edition("0002", "0001"), "jpeg_images/IMAGES/img_0001.jpeg"));
  expect((await findPairs(folder)).map(({ name }) => name)).toEqual(["0001", "0002"]);
  expect((await findPairs(folder))[0]).toMatchObject({
    image: join(folder, "png_images/IMAGES/img_0001.png"),
    mask: join(folder, "png_masks/MASKS/seg_0001.png"),
  });
  expect(await failure(empty(...edition("0001"), "png_images/IMAGES/img_0002.png"))).toBe(
    "DIR/png_images/IMAGES/img_0002.png has no mask (1 photo of 2 without one): " +
      "add DIR/png_masks/MASKS/seg_0002.png or remove the photo.",
  );
  expect(await failure(empty("png_images/IMAGES/0001.png", "png_masks/MASKS/seg_0001.png"))).toContain(
    "DIR/png_images/IMAGES holds no img_*.png file",
  );
});

test("a whole layout counts before a part of one, and images/ with masks/ first of all", async () => {
  const kaggle = ["png_images/IMAGES/img_1.png", "png_masks/MASKS/seg_1.png"];
  const folder = await folderOf(empty("images/a.png", ...kaggle));
  expect((await findPairs(folder)).map(({ name }) => name)).toEqual(["1"]);
  const both = await folderOf(empty("images/a.png", "masks/a.png", ...kaggle));
  expect((await findPairs(both)).map(({ name }) => name)).toEqual(["a"]);
});

test("refuses two files of one name", async () => {
  expect(await failure(empty("images/a.jpg", "images/a.png", "masks/a.png"))).toBe(
    "DIR/images holds a.jpg and a.png, which share a name (1 such case): keep one of them.",
  );
});

test("takes photos of all kinds that predict takes, and counts aloud what is passed over", async () => {
  const names = ["a.webp", "b.tif", "c.TIFF", "d.avif", "e.gif", "f.jpg"];
  const others = ["x.heic", "y.HEIC", "z.bmp", "README", ".DS_Store"];
  const folder = await folderOf(
    empty(
      ...[...names, ...others].map((name) => `images/${name}`),
      ...names.map((name) => `masks/${name[0]}.png`),
    ),
  );
  const said: string[] = [];
  const pairs = await findPairs(folder, (sentence) => said.push(sentence.replaceAll(folder, "DIR")));
  expect(pairs.map(({ name }) => name)).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect(said).toEqual([
    "DIR/images holds 2 .heic files, 1 .bmp file and 1 file without an ending besides JPEG, PNG, WebP, AVIF, TIFF or GIF files: passed over.",
  ]);
});

test("counts aloud the published data set's photos without an annotation", async () => {
  const files = ["photos/1.jpg", "photos/2.jpg", "photos/3.jpg", "annotations/pixel-level/2.mat"];
  const folder = await folderOf(empty(...files));
  const said: string[] = [];
  await findPairs(folder, (sentence) => said.push(sentence.replaceAll(folder, "DIR")));
  expect(said).toEqual(["2 photos of 3 in DIR/photos (1.jpg, for one) have no annotation: passed over."]);
});

test("names match however their accents are written, and keep one order", async () => {
  const [composed, decomposed] = ["\u00e9t\u00e9", "e\u0301te\u0301"];
  const folder = await folderOf(
    empty(`images/${decomposed}.jpg`, "images/f.jpg", `masks/${composed}.png`, "masks/f.png"),
  );
  expect((await findPairs(folder)).map(({ name }) => name)).toEqual(["f", composed]);
  expect(await failure(empty(`images/${decomposed}.jpg`, `images/${composed}.jpg`, "masks/f.png"))).toContain(
    "which share a name",
  );
});

const named = (pairs: readonly Pair[]): unknown =>
  pairs.map(({ name, part }) => (part ? [name, part] : name));
const found = async (...paths: string[]): Promise<unknown> =>
  named(await findPairs(await folderOf(empty(...paths))));

test("takes the folders' other usual names, in any case", async () => {
  for (const [photos, masks] of [
    ["imgs", "labels"],
    ["Photos", "GT"],
    ["JPEGImages", "annotations"],
  ]) {
    expect(await found(`${photos}/a.jpg`, `${masks}/a.png`)).toEqual(["a"]);
  }
});

test("masks may have an ending behind the photo's name", async () => {
  for (const ending of ["_mask", "_label", "_gt", "-seg", "_L", ".mask"]) {
    expect(
      await found("images/a.jpg", "images/b.jpg", `masks/a${ending}.png`, `masks/b${ending}.png`),
    ).toEqual(["a", "b"]);
  }
  expect(await failure(empty("images/a.jpg", "masks/a.png", "masks/a_mask.png"))).toBe(
    "DIR/masks holds a.png and a_mask.png, both for a.jpg: keep one of them.",
  );
});

test("masks may lie beside the photos", async () => {
  expect(await found("a.jpg", "a_mask.png", "b.jpg", "b_mask.png")).toEqual(["a", "b"]);
  expect(await failure(empty("a.jpg", "b.jpg", "b_mask.png"))).toContain(
    "DIR/a.jpg has no mask (1 photo of 2 without one)",
  );
});

test("folders in folders are searched, and train, val and test among them are the split", async () => {
  expect(await found("images/x/a.jpg", "images/y/a.jpg", "masks/x/a.png", "masks/y/a.png")).toEqual([
    "x/a",
    "y/a",
  ]);
  const inside = ["train/a", "valid/b", "test/c"];
  const split = [
    ["train/a", "train"],
    ["valid/b", "val"],
    ["test/c", "test"],
  ];
  expect(await found(...inside.flatMap((name) => [`images/${name}.jpg`, `masks/${name}.png`]))).toEqual([
    ["test/c", "test"],
    ["train/a", "train"],
    ["valid/b", "val"],
  ]);
  const above = inside.map((name) => name.split("/"));
  expect(
    new Set(
      (await found(
        ...above.flatMap(([part, name]) => [`${part}/images/${name}.jpg`, `${part}/masks/${name}.png`]),
      )) as unknown[],
    ),
  ).toEqual(new Set(split));
  const beside = await found("train/a.jpg", "train_masks/a_mask.png", "val/b.jpg", "val_masks/b_mask.png");
  expect(beside).toEqual([
    ["train/a", "train"],
    ["val/b", "val"],
  ]);
  expect(await found("train/a.jpg", "trainannot/a.png", "test/b.jpg", "testannot/b.png")).toEqual([
    ["test/b", "test"],
    ["train/a", "train"],
  ]);
});

test("test photos need no masks", async () => {
  expect(await found("images/train/a.jpg", "images/test/b.jpg", "masks/train/a.png")).toEqual([
    ["train/a", "train"],
  ]);
});

test("lists name the photos of each part, with or without folder and ending", async () => {
  const files = empty(...["a", "b", "c", "d"].flatMap((name) => [`images/${name}.jpg`, `masks/${name}.png`]));
  const folder = await folderOf({
    ...files,
    "train.txt": "images/a.jpg masks/a.png\r\nb\r\n",
    "val.txt": "c.jpg\n",
  });
  const said: string[] = [];
  expect(named(await findPairs(folder, (sentence) => said.push(sentence)))).toEqual([
    ["a", "train"],
    ["b", "train"],
    ["c", "val"],
  ]);
  expect(said).toEqual(["1 photo of 4 is in none of the lists train.txt, val.txt: passed over."]);
});

test("an archive is to be unpacked, and a link that leads round in circles is no end of folders", async () => {
  const folder = await folderOf({
    ...empty("images/a.jpg", "masks/a.png"),
    "all.zip": Buffer.from("PK\u0003\u0004zip"),
  });
  await expect(openSource(join(folder, "all.zip"), null, () => {})).rejects.toThrow(
    "is an archive: unpack it",
  );
  await symlink(join(folder, "images"), join(folder, "images", "again"));
  await expect(findPairs(folder)).rejects.toThrow(/lie too deep .* a link that leads back/);
});
