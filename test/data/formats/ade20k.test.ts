import { expect, it } from "vitest";
import { ade20k } from "../../../src/data/formats/ade20k.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

const files = {
  "images/training/ADE_train_1.jpg": "",
  "annotations/training/ADE_train_1.png": "",
  "images/validation/ADE_val_1.jpg": "",
  "annotations/validation/ADE_val_1.png": "",
};
const HEADER = "Idx\tRatio\tTrain\tVal\tStuff\tName";

it("both parts, 150 classes from 1 on, and 0, which does not count", async () => {
  const folder = await folderOf(files);
  expect(await isRecognised(ade20k, folder)).toBe(true);
  const found = await reading(ade20k, folder);
  expect(lines(found, folder)).toEqual([
    "train training/ADE_train_1: images/training/ADE_train_1.jpg, annotations/training/ADE_train_1.png",
    "val validation/ADE_val_1: images/validation/ADE_val_1.jpg, annotations/validation/ADE_val_1.png",
  ]);
  const { classes, ...declared } = found.declared!;
  expect(declared).toEqual({ where: "ADE20K", keys: "values", compact: true, ignored: [0] });
  expect(classes).toHaveLength(150);
  expect([classes[0], classes[12], classes[149]]).toEqual([
    { key: 1, name: "wall" },
    { key: 13, name: "person" },
    { key: 150, name: "flag" },
  ]);
});

it("names of objectInfo150.txt, the first of several where it is no other's", async () => {
  const table = `${HEADER}\n1\t0.1\t1\t1\t1\tscreen, door\n2 \t0.1\t1\t1\t0\tbed \r\n3\t0\t1\t1\t0\tscreen, cloth\n`;
  const { declared } = await reading(ade20k, await folderOf({ ...files, "objectInfo150.txt": table }));
  expect(declared!.classes).toEqual([
    { key: 1, name: "screen, door" },
    { key: 2, name: "bed" },
    { key: 3, name: "screen, cloth" },
  ]);
});

it.each([
  ["name,colour\n", "objectInfo150.txt does not begin with columns Idx and Name"],
  [`${HEADER}\n2\t0\t1\t1\t1\twall\n`, "objectInfo150.txt, line 2, does not name class 1"],
  [`${HEADER}\n1\t0\t1\t1\t1\n`, "objectInfo150.txt, line 2, does not name class 1"],
])("%j", async (table, message) => {
  const folder = await folderOf({ ...files, "objectInfo150.txt": table });
  expect(await sentence(reading(ade20k, folder))).toContain(message);
});

it("folders of the same names with other files are not it", async () => {
  const folder = await folderOf({ "images/training/a.jpg": "", "annotations/training/a.png": "" });
  expect(await isRecognised(ade20k, folder)).toBe(false);
});
