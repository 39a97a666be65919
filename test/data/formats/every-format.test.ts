import { describe, expect, it } from "vitest";
import { IGNORE } from "../../../src/data/dataset.ts";
import { FolderDataset } from "../../../src/data/folder-dataset.ts";
import { FORMAT_NAMES } from "../../../src/data/formats/names.ts";
import type { FormatName } from "../../../src/data/formats/names.ts";
import { FORMATS } from "../../../src/data/formats/recognise.ts";
import { folderOf, greyPng, photo } from "../folder.ts";
import { groundtruth, matFile } from "../mat-file.ts";
import { palette, pngFile } from "../png-file.ts";

type Files = Record<string, Uint8Array | string>;

const SIDE = 8;
/** What masks hold: a square of class `inside`, a column that does not count at the right, `outside` elsewhere. */
const value =
  (outside: number, inside: number, ignored = outside) =>
  (x: number, y: number): number =>
    x === SIDE - 1 ? ignored : x >= 2 && x < 5 && y >= 2 && y < 5 ? inside : outside;
const mask = (...values: Parameters<typeof value>): Promise<Buffer> => greyPng(SIDE, SIDE, value(...values));
const jpeg = (): Promise<Buffer> => photo(SIDE, SIDE).jpeg().toBuffer();
const png = (): Promise<Buffer> => photo(SIDE, SIDE).png().toBuffer();
const OUTLINE = [2, 2, 5, 2, 5, 5, 2, 5];
const POINTS = [
  [2, 2],
  [5, 2],
  [5, 5],
  [2, 5],
];

const coco = (name: string): string =>
  JSON.stringify({
    images: [{ id: 1, file_name: name, width: SIDE, height: SIDE }],
    annotations: [
      { id: 1, image_id: 1, category_id: 7, segmentation: [OUTLINE] },
      {
        id: 2,
        image_id: 1,
        category_id: 7,
        iscrowd: 1,
        segmentation: { size: [SIDE, SIDE], counts: [56, 8] },
      },
    ],
    categories: [{ id: 7, name: "hat" }],
  });

/** A set of one photo for training and one for validation in every format, and what its labels are. */
const SETS: Readonly<
  Record<FormatName, { files: () => Promise<Files>; classes: readonly string[]; rows: readonly string[] }>
> = {
  "clothing-co-parsing": {
    files: async () => ({
      "photos/0001.jpg": await jpeg(),
      "photos/0002.jpg": await jpeg(),
      "annotations/pixel-level/0001.mat": matFile([
        groundtruth(
          Array.from({ length: SIDE }, (_, y) => Array.from({ length: SIDE }, (_, x) => value(0, 1)(x, y))),
        ),
      ]),
      "labels.csv": "0,null\n1,hat\n",
    }),
    classes: ["null", "hat"],
    rows: square(3),
  },
  "clothing-kaggle": {
    files: async () => ({
      "png_images/IMAGES/img_0001.png": await png(),
      "png_masks/MASKS/seg_0001.png": await mask(0, 1),
      "labels.csv": "0,null\n1,hat\n",
    }),
    classes: ["null", "hat"],
    rows: square(3),
  },
  folders: {
    files: async () => ({
      "images/train/a.jpg": await jpeg(),
      "images/val/b.jpg": await jpeg(),
      "masks/train/a_mask.png": await mask(0, 1, 255),
      "masks/val/b_mask.png": await mask(0, 1, 255),
    }),
    classes: ["class 0", "class 1"],
    rows: square(3, true),
  },
  voc: {
    files: async () => ({
      "JPEGImages/a.jpg": await jpeg(),
      "JPEGImages/b.jpg": await jpeg(),
      "JPEGImages/unlabelled.jpg": await jpeg(),
      "SegmentationClass/a.png": indexed(),
      "SegmentationClass/b.png": indexed(),
      "ImageSets/Segmentation/train.txt": "a\n",
      "ImageSets/Segmentation/val.txt": "b\n",
      "class_names.txt": "_background_\nhat\n",
    }),
    classes: ["_background_", "hat"],
    rows: square(3, true),
  },
  cityscapes: {
    files: async () => {
      const files: Files = {};
      for (const [part, city] of [
        ["train", "aachen"],
        ["val", "bonn"],
      ]) {
        files[`leftImg8bit/${part}/${city}/${city}_1_leftImg8bit.png`] = await png();
        // 7 is road, 26 is car, 3 is "out of roi".
        files[`gtFine/${part}/${city}/${city}_1_gtFine_labelIds.png`] = await mask(7, 26, 3);
      }
      return files;
    },
    classes: [
      ...[
        "road",
        "sidewalk",
        "building",
        "wall",
        "fence",
        "pole",
        "traffic light",
        "traffic sign",
        "vegetation",
      ],
      ...["terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"],
    ],
    rows: square(3, true, "d"),
  },
  ade20k: {
    files: async () => ({
      "images/training/ADE_train_1.jpg": await jpeg(),
      "images/validation/ADE_val_1.jpg": await jpeg(),
      "annotations/training/ADE_train_1.png": await mask(1, 3, 0),
      "annotations/validation/ADE_val_1.png": await mask(1, 3, 0),
      "objectInfo150.txt": `Idx\tRatio\tTrain\tVal\tStuff\tName\n${Array.from({ length: 150 }, (_, i) => `${i + 1}\t0\t1\t1\t1\tthing ${i}, other`).join("\n")}\n`,
    }),
    classes: Array.from({ length: 150 }, (_, i) => `thing ${i}`),
    rows: square(3, true, "2"),
  },
  coco: {
    files: async () => ({
      "annotations/instances_train2017.json": coco("1.jpg"),
      "annotations/instances_val2017.json": coco("2.jpg"),
      "train2017/1.jpg": await jpeg(),
      "val2017/2.jpg": await jpeg(),
    }),
    classes: ["background", "hat"],
    rows: square(3, true),
  },
  yolo: {
    files: async () => ({
      "data.yaml": "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: hat\n",
      "images/train/a.jpg": await jpeg(),
      "images/val/b.jpg": await jpeg(),
      "labels/train/a.txt": `0 ${OUTLINE.map((at) => at / SIDE).join(" ")}\n`,
      "labels/val/b.txt": `0 ${OUTLINE.map((at) => at / SIDE).join(" ")}\n`,
    }),
    classes: ["background", "hat"],
    rows: square(4),
  },
  cvat: {
    files: async () => ({
      "annotations.xml": `<?xml version="1.0"?><annotations><version>1.1</version><meta><task><labels><label><name>hat</name></label></labels></task></meta>${[
        "a",
        "b",
      ]
        .map(
          (name, i) =>
            `<image id="${i}" name="${name}.jpg" subset="${i === 0 ? "Train" : "Validation"}" width="${SIDE}" height="${SIDE}"><polygon label="hat" points="${POINTS.map((point) => point.join(",")).join(";")}" z_order="0"/></image>`,
        )
        .join("")}</annotations>`,
      "images/a.jpg": await jpeg(),
      "images/b.jpg": await jpeg(),
    }),
    classes: ["background", "hat"],
    rows: square(3),
  },
  "label-studio": {
    files: async () => ({
      "project.json": JSON.stringify(
        ["a", "b"].map((name, id) => ({
          id,
          data: { image: `/data/upload/1/0a1b2c3d-${name}.jpg` },
          annotations: [
            {
              result: [
                {
                  id: "r",
                  type: "polygonlabels",
                  original_width: SIDE,
                  original_height: SIDE,
                  value: {
                    polygonlabels: ["hat"],
                    points: POINTS.map((point) => point.map((at) => (100 * at) / SIDE)),
                  },
                },
              ],
            },
          ],
        })),
      ),
      "images/a.jpg": await jpeg(),
      "images/b.jpg": await jpeg(),
    }),
    classes: ["background", "hat"],
    rows: square(3),
  },
  labelme: {
    files: async () => {
      const files: Files = {};
      for (const name of ["train/a", "val/b"]) {
        files[`${name}.jpg`] = await jpeg();
        files[`${name}.json`] = JSON.stringify({
          version: "5.5.0",
          flags: {},
          shapes: [
            { label: "hat", points: POINTS, shape_type: "polygon" },
            {
              label: "__ignore__",
              points: [
                [7, 0],
                [7, 7],
              ],
              shape_type: "rectangle",
            },
          ],
          imagePath: `${name.split("/")[1]}.jpg`,
          imageData: null,
          imageHeight: SIDE,
          imageWidth: SIDE,
        });
      }
      return files;
    },
    classes: ["background", "hat"],
    rows: square(4, true),
  },
};

/** A square from (2, 2) of so many pixels on class 0, and at the right a column that does not count (`-`) or does. */
function square(side: number, uncounted = false, label = "1"): string[] {
  return Array.from({ length: SIDE }, (_, y) =>
    Array.from({ length: SIDE }, (_, x) => {
      if (uncounted && x === SIDE - 1) return "-";
      return x >= 2 && x < 2 + side && y >= 2 && y < 2 + side ? label : "0";
    }).join(""),
  );
}

function indexed(): Buffer {
  const samples = Array.from({ length: SIDE * SIDE }, (_, i) =>
    value(0, 1, 255)(i % SIDE, Math.floor(i / SIDE)),
  );
  const colours = Array.from({ length: 256 }, (_, i) => [i, 255 - i, (7 * i) % 256] as const);
  return pngFile({
    width: SIDE,
    height: SIDE,
    depth: 8,
    colourType: 3,
    samples,
    chunks: [palette(...colours)],
  });
}

describe.each(FORMAT_NAMES)("%s", (name) => {
  const set = SETS[name];

  it("is recognised, and by no other format's name, and every pixel has the class it should have", async () => {
    const folder = await folderOf(await set.files());
    const said: string[] = [];
    const dataset = await FolderDataset.open(folder, {
      imageSize: SIDE,
      onWarning: (sentence) => said.push(sentence),
    });
    expect(dataset.format).toBe(FORMATS.find((format) => format.name === name)!.title);
    expect(said.filter((sentence) => sentence.includes("--format"))).toEqual([]);
    expect(dataset.classNames).toEqual(set.classes);
    const labels = (mask: Uint8Array): string[] =>
      Array.from({ length: SIDE }, (_, y) =>
        Array.from(mask.subarray(SIDE * y, SIDE * (y + 1)), (label) =>
          label === IGNORE ? "-" : label.toString(36),
        ).join(""),
      );
    for (let index = 0; index < dataset.size; index++) {
      expect(labels((await dataset.load(index)).mask)).toEqual(set.rows);
    }
    expect(dataset.ignores).toBe(
      set.rows.some((row) => row.includes("-")) || name === "cityscapes" || name === "ade20k",
    );
  });
});
