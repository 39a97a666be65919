import { join } from "node:path";
import { expect, it } from "vitest";
import { yolo } from "../../../src/data/formats/yolo.ts";
import { drawn } from "../annotations/drawn.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

const YAML = "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: hat\n  1: shoe\n";
const SQUARE = "0.25 0 0.75 0 0.75 0.6 0.25 0.6\n";
const photos = { "images/train/a.jpg": "", "images/train/s/b.png": "", "images/val/c.jpg": "" };
const labels = {
  "labels/train/a.txt": `1 ${SQUARE}`,
  "labels/train/s/b.txt": "\n",
};

it("polygons of labels/ beside images/, the split, and photos of nothing but background", async () => {
  const folder = await folderOf({ "data.yaml": YAML, ...photos, ...labels });
  expect(await isRecognised(yolo, folder)).toBe(true);
  const found = await reading(yolo, folder);
  expect(lines(found, folder)).toEqual([
    "train train/a: images/train/a.jpg, labels/train/a.txt",
    "train train/s/b: images/train/s/b.png, labels/train/s/b.txt",
    "val val/c: images/val/c.jpg, data.yaml",
  ]);
  const drawings = found.pairs.map(({ annotation }) =>
    drawn(annotation!, ["hat", "shoe"], { width: 4, height: 3 }),
  );
  expect(drawings).toEqual([
    ["0222", "0222", "0000"],
    ["0000", "0000", "0000"],
    ["0000", "0000", "0000"],
  ]);
  expect(found.declared).toEqual({
    where: join(folder, "data.yaml"),
    keys: "labels",
    classes: [
      { key: "hat", name: "hat" },
      { key: "shoe", name: "shoe" },
    ],
  });
  expect(found.said).toEqual([
    "2 photos of 3 are background all over: 1 without a label file, 1 with an empty one.",
  ]);
});

it("the file itself; a path of another machine; names as a list; lists of photos", async () => {
  const folder = await folderOf({
    "set.yaml": 'path: /nowhere/set\ntrain: [train.txt, more]\nval: val.txt\nnc: 2\nnames: ["hat", "shoe"]\n',
    "train.txt": "./images/train/a.jpg\nimages/train/s/b.png\n",
    "val.txt": "data/images/val/c.jpg\n",
    "more/images/d.jpg": "",
    ...photos,
    ...labels,
  });
  const file = join(folder, "set.yaml");
  expect(await isRecognised(yolo, file)).toBe(true);
  const found = await reading(yolo, file);
  expect(found.pairs.map(({ part, name }) => `${part} ${name}`)).toEqual([
    "train images/train/a",
    "train images/train/s/b",
    "val images/val/c",
    "train more/images/d",
  ]);
  expect(found.said[0]).toBe(
    `${file} has the path /nowhere/set, and there is no folder /nowhere/set: ${folder} is taken instead.`,
  );
});

it("Roboflow's paths, and a test part that is not there", async () => {
  const folder = await folderOf({
    "data.yaml":
      "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: [hat, shoe]\nnc: 2\n",
    ...{ "train/images/a.jpg": "", "train/labels/a.txt": `0 ${SQUARE}` },
    ...{ "valid/images/a.jpg": "", "valid/labels/a.txt": "" },
  });
  expect(lines(await reading(yolo, folder), folder)).toEqual([
    "train train/images/a: train/images/a.jpg, train/labels/a.txt",
    "val valid/images/a: valid/images/a.jpg, valid/labels/a.txt",
  ]);
});

it("the same photos for training and validation are no split", async () => {
  const yaml = YAML.replace("images/val", "images/train");
  const found = await reading(yolo, await folderOf({ "data.yaml": yaml, ...photos, ...labels }));
  expect(found.pairs.map(({ part = "-", name }) => `${part} ${name}`)).toEqual(["- a", "- s/b"]);
  expect(found.said[0]).toBe('2 photos of "val" are in a part before it too, and left out of "val".');
});

it("masks of masks_dir, or in masks/; 255 does not count, and label_mapping is followed", async () => {
  const masks = { "annotations/train/a.png": "", "annotations/val/c.tif": "" };
  const yaml = `${YAML}masks_dir: annotations\n`;
  const folder = await folderOf({ "data.yaml": yaml, ...photos, ...masks });
  const found = await reading(yolo, folder);
  expect(lines(found, folder)).toEqual([
    "train train/a: images/train/a.jpg, annotations/train/a.png",
    "val val/c: images/val/c.jpg, annotations/val/c.tif",
  ]);
  expect(found.pairs[0].annotation).toBeUndefined();
  expect(found.declared).toEqual({
    where: join(folder, "data.yaml"),
    keys: "values",
    classes: [
      { key: 0, name: "hat" },
      { key: 1, name: "shoe" },
    ],
    ignored: [255],
  });
  expect(found.said).toEqual(["1 photo of 3 has no mask in annotations/: passed over."]);

  const mapped = `${yaml}label_mapping:\n  0: ignore_label\n  7: 0\n  8: 1\n  9: 1\n  1: 255\n`;
  const { declared } = await reading(yolo, await folderOf({ "data.yaml": mapped, ...photos, ...masks }));
  expect(declared).toMatchObject({ compact: true, ignored: [0, 1, 255] });
  expect(declared!.classes).toEqual([
    { key: 7, name: "hat" },
    { key: 8, name: "shoe" },
    { key: 9, name: "shoe" },
  ]);

  const single = await folderOf({
    "data.yaml": "train: images\nnames: [crack]\n",
    ...{ "images/a.jpg": "", "masks/a.png": "" },
  });
  expect((await reading(yolo, single)).declared!.classes).toEqual([
    { key: 0, name: "background" },
    { key: 1, name: "crack" },
  ]);
});

it.each([
  ["train: images/train\nnames: [a, a]\n", 'data.yaml names two classes "a"'],
  [
    "train: images/train\nnames: {0: a, 2: b}\n",
    "data.yaml does not name class 1: number the names from 0 on",
  ],
  ["train: images/train\nnames: [a]\nnc: 2\n", "data.yaml says 2 classes (nc) and names 1"],
  ["train: images/train\nnames: {a: [1]}\n", "data.yaml is not a data.yaml of YOLO: names"],
  ["train: images/train\nnames: [a\n", "data.yaml is not YAML: "],
  ["train:\nnames: [a]\n", "data.yaml says neither train nor val"],
  ["train: images/none\nnames: [a]\n", "data.yaml, train, names images/none, and there is no "],
  ["train: images/train\nnames: [a]\nmasks_dir: masks\n", "None of 2 photos has a mask: "],
  ["train: images/train\nnames: [a]\n", "None of 2 photos has a label file: "],
  ["train: list.txt\nnames: [a]\n", "list.txt, line 2, names images/x.jpg, and there is no "],
  ["train: labels\nnames: [a]\n", "data.yaml names no photo"],
  ["train: images/train\nnames: [a]\nlabel_mapping: {0: 3}\n", "data.yaml maps 0 to class 3, and it names 1"],
  ["train: images/train\nnames: [a]\nlabel_mapping: {x: 0}\n", 'data.yaml maps "x" to 0 in label_mapping'],
])("%j", async (yaml, message) => {
  const folder = await folderOf({
    "data.yaml": yaml,
    "list.txt": "images/train/a.jpg\nimages/x.jpg\n",
    "labels/readme.txt": "",
    ...photos,
  });
  expect(await sentence(reading(yolo, folder))).toContain(message);
});

it("other YAML is not it", async () => {
  const folder = await folderOf({ "a.yaml": "names: [a]\n", "b.yaml": "train: x\n" });
  expect(await isRecognised(yolo, folder)).toBe(false);
  expect(await sentence(reading(yolo, folder))).toContain(`${folder} holds no data.yaml`);
});
