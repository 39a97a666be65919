import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { labelme } from "../../../src/data/formats/labelme.ts";
import { drawn } from "../annotations/drawn.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

const json = (imagePath: string, labels: readonly string[], imageData: string | null = null): string =>
  JSON.stringify({
    version: "5.5.0",
    flags: {},
    shapes: labels.map((label, i) => ({
      label,
      points: [
        [i, 0],
        [i, 1],
      ],
      shape_type: "rectangle",
    })),
    imagePath,
    imageData,
    imageHeight: 2,
    imageWidth: 4,
  });

it("a file a photo, labels in the order of their names, and pixels that do not count", async () => {
  const folder = await folderOf({
    ...{ "a.json": json("a.jpg", ["shoe", "hat", "__ignore__"]), "a.jpg": "" },
    ...{ "sub/b.json": json("..\\photos\\b.png", ["_background_"]), "photos/b.png": "", "photos/c.png": "" },
    "other.json": "{}",
  });
  expect(await isRecognised(labelme, folder)).toBe(true);
  const found = await reading(labelme, folder);
  expect(lines(found, folder)).toEqual(["- a: a.jpg, a.json", "- photos/b: photos/b.png, sub/b.json"]);
  expect(found.declared).toEqual({
    where: `the labels in ${folder}`,
    keys: "labels",
    classes: ["_background_", "hat", "shoe"].map((name) => ({ key: name, name })),
  });
  expect(drawn(found.pairs[0].annotation!, ["hat", "shoe"])).toEqual(["21x0", "21x0"]);
  expect(found.said).toEqual([
    `1 JSON file in ${folder} is not LabelMe's: passed over.`,
    `1 photo in ${folder} has no file of LabelMe: passed over.`,
  ]);
});

it("the order of labels.txt, and a part a folder", async () => {
  const folder = await folderOf({
    "labels.txt": "__ignore__\n_background_\nshoe\nbag\nhat\n",
    ...{ "train/a.json": json("a.jpg", ["hat"]), "train/a.jpg": "" },
    ...{ "val/a.json": json("a.jpg", ["shoe"]), "val/a.jpg": "" },
  });
  const found = await reading(labelme, folder);
  expect(found.pairs.map(({ part, name }) => `${part} ${name}`)).toEqual(["train train/a", "val val/a"]);
  expect(found.declared!.where).toBe(join(folder, "labels.txt"));
  expect(found.declared!.classes.map(({ name }) => name)).toEqual(["_background_", "shoe", "bag", "hat"]);
});

it("a label that labels.txt does not name", async () => {
  const folder = await folderOf({ "labels.txt": "hat\n", "a.json": json("a.jpg", ["bag"]), "a.jpg": "" });
  expect(await sentence(reading(labelme, folder))).toBe(
    `${folder}/a.json has the label "bag", which ${folder}/labels.txt does not name: add it there, or remove labels.txt.`,
  );
});

it("a photo that is not there, and one that is embedded only", async () => {
  const gone = await folderOf({ "a.json": json("a.jpg", ["hat"]) });
  expect(await sentence(reading(labelme, gone))).toContain(
    `1 photo of 1 that ${gone}/a.json names is not there (a.jpg`,
  );
  const embedded = await folderOf({ "a.json": json("a.jpg", ["hat"], "/9j/4AAQ") });
  expect(await sentence(reading(labelme, embedded))).toContain(
    `${embedded}/a.json has its photo embedded (imageData), and the file a.jpg is not there: put it beside`,
  );
});

it("all files that cannot be used at once; two of one photo", async () => {
  const folder = await folderOf({ "a.json": json("a.jpg", []), "b.json": json("b.jpg", []) });
  await expect(reading(labelme, folder)).rejects.toThrow("2 photos and masks cannot be used:");
  const twice = await folderOf({ "a.json": json("a.jpg", []), "b.json": json("a.jpg", []), "a.jpg": "" });
  expect(await sentence(reading(labelme, twice))).toContain(
    `${twice}/a.json and ${twice}/b.json are of the same photo, ${twice}/a.jpg: keep one of them`,
  );
});

it("a file with a photo of 2 GB in it is recognised by its ends and refused before it is read", async () => {
  const folder = await folderOf();
  const file = join(folder, "a.json");
  await writeFile(file, '{"version": "5", "shapes": [], "imagePath": "a.jpg", "imageData": "');
  await truncate(file, 2 * 2 ** 30);
  const before = process.memoryUsage().rss;
  expect(await isRecognised(labelme, folder)).toBe(true);
  expect(await sentence(reading(labelme, folder))).toContain("a.json is 2.0 GiB, more than the 0.5 GiB");
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});

it("JSON of others is not it", async () => {
  const folder = await folderOf({ "a.json": '{"shapes": []}', "b.json": "[]" });
  expect(await isRecognised(labelme, folder)).toBe(false);
  expect(await sentence(reading(labelme, folder))).toContain("holds no file of LabelMe");
});
