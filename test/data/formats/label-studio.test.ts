import { join } from "node:path";
import { expect, it } from "vitest";
import { labelStudio } from "../../../src/data/formats/label-studio.ts";
import { drawn } from "../annotations/drawn.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

const task = (id: number, image: string, label?: string): object => ({
  id,
  annotations: [
    {
      was_cancelled: false,
      result:
        label === undefined
          ? []
          : [
              {
                type: "rectanglelabels",
                original_width: 4,
                original_height: 2,
                value: { x: 25, y: 0, width: 50, height: 100, rotation: 0, rectanglelabels: [label] },
              },
            ],
    },
  ],
  data: { image },
});
const skipped = { id: 9, annotations: [], data: { image: "/data/upload/1/x.jpg" } };

it("photos with and without the digits before their names, labels by name, and what is not labelled", async () => {
  const folder = await folderOf({
    "export.json": JSON.stringify([
      task(1, "/data/upload/1/0a1b2c3d-b.jpg", "shoe"),
      task(2, "/data/upload/1/1a1b2c3d-a.jpg", "hat"),
      task(3, "/data/local-files/?d=set/c.jpg"),
      skipped,
    ]),
    ...{ "images/0a1b2c3d-b.jpg": "", "a.jpg": "", "set/c.jpg": "" },
  });
  expect(await isRecognised(labelStudio, folder)).toBe(true);
  expect(await isRecognised(labelStudio, join(folder, "export.json"))).toBe(true);
  const found = await reading(labelStudio, folder);
  expect(lines(found, folder)).toEqual([
    "- a: a.jpg, export.json",
    "- images/0a1b2c3d-b: images/0a1b2c3d-b.jpg, export.json",
    "- set/c: set/c.jpg, export.json",
  ]);
  expect(found.declared).toEqual({
    where: join(folder, "export.json"),
    keys: "labels",
    classes: ["hat", "shoe"].map((name) => ({ key: name, name })),
  });
  expect(drawn(found.pairs[0].annotation!, ["hat"])).toEqual(["0110", "0110"]);
  expect(found.said).toEqual([
    `1 task in ${folder}/export.json has no annotation that was submitted: passed over.`,
    "1 photo of 3 has no region: background all over.",
  ]);
});

it.each([
  [{ "a.json": JSON.stringify([task(1, "/x/a.jpg")]) }, "1 photo of 1 that "],
  [
    { "a.json": JSON.stringify([task(1, "a.jpg")]), "b.json": JSON.stringify([task(1, "a.jpg")]) },
    "holds 2 exports of Label Studio (",
  ],
  [{ "a.json": JSON.stringify([task(1, "a.jpg"), task(2, "a.jpg")]), "a.jpg": "" }, "are of the same photo"],
  [
    { "task-1-annotation-2-by-3-tag-hat-0.png": "" },
    "holds Label Studio's brushes as PNGs, which do not say of which photo they are: export as JSON",
  ],
  [{ "a.json": "[]" }, "holds no export of Label Studio as JSON"],
])("%j", async (files, message) => {
  expect(await sentence(reading(labelStudio, await folderOf(files)))).toContain(message);
});

it("lists of other things are not it", async () => {
  const folder = await folderOf({ "a.json": "[]", "b.json": '[{"image": "a.jpg", "label": []}]' });
  expect(await isRecognised(labelStudio, folder)).toBe(false);
});
