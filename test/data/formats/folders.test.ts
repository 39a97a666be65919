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
