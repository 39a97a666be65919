import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { coco } from "../../../src/data/formats/coco.ts";
import { drawn } from "../annotations/drawn.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

const CATEGORIES = [
  { id: 3, name: "hat" },
  { id: 1, name: "shoe" },
];
const square = [1, 0, 3, 0, 3, 2, 1, 2];

/** A file of the given photos, of which the first has a hat. */
const json = (photos: readonly string[], categories: object[] = CATEGORIES): string =>
  JSON.stringify({
    info: {},
    images: photos.map((file_name, id) => ({ id, file_name, width: 4, height: 3 })),
    annotations: [{ id: 1, image_id: 0, category_id: 3, segmentation: [square] }],
    categories,
  });

it("a file beside its photos: shapes, classes by their ids, and photos of nothing but background", async () => {
  const folder = await folderOf({ "set.json": json(["b.jpg", "a.jpg"]), "a.jpg": "", "b.jpg": "" });
  const file = join(folder, "set.json");
  expect(await isRecognised(coco, file)).toBe(true);
  const found = await reading(coco, file);
  expect(lines(found, folder)).toEqual(["- a: a.jpg, set.json", "- b: b.jpg, set.json"]);
  expect(found.declared).toEqual({
    where: file,
    keys: "labels",
    classes: [
      { key: "shoe", name: "shoe" },
      { key: "hat", name: "hat" },
    ],
  });
  expect(found.pairs.map(({ annotation }) => drawn(annotation!, ["shoe", "hat"]))).toEqual([
    ["0000", "0000", "0000"],
    ["0220", "0220", "0000"],
  ]);
  expect(found.said).toEqual(["1 photo of 2 has no annotation: background all over."]);
});

it("COCO itself: the files of outlines, the split, and photos in folders called like it", async () => {
  const folder = await folderOf({
    "annotations/instances_train2017.json": json(["1.jpg"]),
    "annotations/instances_val2017.json": json(["2.jpg"]),
    "annotations/captions_val2017.json": json(["2.jpg"]),
    "annotations/notes.json": "{}",
    "train2017/1.jpg": "",
    "val2017/2.jpg": "",
  });
  expect(await isRecognised(coco, folder)).toBe(true);
  const found = await reading(coco, folder);
  expect(lines(found, folder)).toEqual([
    "train train2017/1: train2017/1.jpg, annotations/instances_train2017.json",
    "val val2017/2: val2017/2.jpg, annotations/instances_val2017.json",
  ]);
  expect(found.said).toEqual([
    `Other files of COCO are passed over: ${folder}/annotations/captions_val2017.json.`,
  ]);
  // Of one file alone the split is left to chance.
  const one = join(folder, "annotations/instances_val2017.json");
  expect(lines(await reading(coco, one), folder)).toEqual([
    "- 2: val2017/2.jpg, annotations/instances_val2017.json",
  ]);
});

it.each([
  ["CVAT", { "annotations/instances_default.json": json(["s/a.jpg"]), "images/s/a.jpg": "" }],
  ["CVAT, by subset", { "annotations/instances_Train.json": json(["a.jpg"]), "images/Train/a.jpg": "" }],
  ["Label Studio", { "result.json": json(["images\\a.jpg"]), "images/a.jpg": "" }],
  ["Label Studio, elsewhere", { "result.json": json(["/label-studio/media/a.jpg"]), "images/a.jpg": "" }],
  ["FiftyOne", { "labels.json": json(["a.jpg"]), "data/a.jpg": "" }],
])("an export of %s", async (_, files) => {
  const folder = await folderOf(files);
  expect((await reading(coco, folder)).pairs.map(({ name }) => name)).toEqual(["a"]);
});

it("an export of Roboflow: a folder a part, and a category that only heads others", async () => {
  const categories = [
    { id: 0, name: "clothes", supercategory: "none" },
    ...CATEGORIES.map((category) => ({ ...category, supercategory: "clothes" })),
  ];
  const file = "_annotations.coco.json";
  const folder = await folderOf({
    ...{ [`train/${file}`]: json(["a.jpg"], categories), "train/a.jpg": "" },
    ...{ [`valid/${file}`]: json(["a.jpg"], categories), "valid/a.jpg": "" },
  });
  const found = await reading(coco, folder);
  expect(lines(found, folder)).toEqual([
    `train train/a: train/a.jpg, train/${file}`,
    `val valid/a: valid/a.jpg, valid/${file}`,
  ]);
  expect(found.declared!.classes.map(({ name }) => name)).toEqual(["shoe", "hat"]);
  expect(found.said).toEqual([
    'Nothing is labelled with "clothes", which only heads other categories: left out.',
  ]);
});

it("a category that is its own heading stays, whether or not there is one", async () => {
  const categories = [...CATEGORIES, { id: 4, name: "person", supercategory: "person" }];
  const folder = await folderOf({ "set.json": json(["a.jpg"], categories), "a.jpg": "" });
  expect((await reading(coco, folder)).declared!.classes).toHaveLength(3);
});

it("photos that are not there", async () => {
  const folder = await folderOf({
    "annotations/instances_val.json": json(["a.jpg", "b.jpg", "c.jpg"]),
    "val/a.jpg": "",
  });
  const file = `${folder}/annotations/instances_val.json`;
  const places = [
    "annotations",
    "val",
    "",
    "images/val",
    "images",
    "val/images",
    "annotations/images",
    "data",
  ];
  expect(await sentence(reading(coco, folder))).toBe(
    `2 photos of 3 that ${file} names are not there (b.jpg, for one; looked in ` +
      `${places.map((place) => join(folder, place)).join(", ")}): put them into one of these folders, by the same name.`,
  );
});

it("files that do not go together", async () => {
  const renamed = [CATEGORIES[0], { id: 1, name: "boot" }];
  const folder = await folderOf({
    ...{ "annotations/train.json": json(["a.jpg"]), "annotations/val.json": json(["b.jpg"], renamed) },
    ...{ "a.jpg": "", "b.jpg": "" },
  });
  expect(await sentence(reading(coco, folder))).toContain(
    `annotations/train.json and ${folder}/annotations/val.json differ in category 1: "shoe" and "boot".`,
  );
  const twice = await folderOf({
    ...{ "annotations/train.json": json(["a.jpg"]), "annotations/val.json": json(["a.jpg"]), "a.jpg": "" },
  });
  expect(await sentence(reading(coco, twice))).toContain(
    `annotations/train.json, image 0 and ${twice}/annotations/val.json, image 0 are of the same photo, ${twice}/a.jpg`,
  );
});

it("what is not COCO's", async () => {
  const folder = await folderOf({ "a.json": "[]", "b.json": '{"images": []}', "c.txt": json(["a.jpg"]) });
  expect(await isRecognised(coco, folder)).toBe(false);
  expect(await isRecognised(coco, join(folder, "a.json"))).toBe(false);
  expect(await sentence(reading(coco, folder))).toContain(`${folder} holds no JSON file of COCO`);
});

it("a file of 2 GB is recognised by its ends and refused before it is read", async () => {
  const folder = await folderOf();
  const file = join(folder, "instances_train.json");
  await writeFile(file, '{"images": [], "annotations": [');
  await truncate(file, 2 * 2 ** 30);
  const before = process.memoryUsage().rss;
  expect(await isRecognised(coco, file)).toBe(true);
  expect(await sentence(reading(coco, file))).toContain(
    "instances_train.json is 2.0 GiB, more than the 0.5 GiB",
  );
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});
