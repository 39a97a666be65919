import { join } from "node:path";
import { expect, it } from "vitest";
import { cvat } from "../../../src/data/formats/cvat.ts";
import { drawn } from "../annotations/drawn.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

const BOX = '<box label="shoe" xtl="1" ytl="0" xbr="3" ybr="2" z_order="0"/>';
const xml = (...images: readonly string[]): string => `<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><job><labels><label><name>shoe</name></label><label><name>hat</name></label>
</labels></job></meta>${images.join("")}</annotations>`;
const image = (name: string, more = "", shapes = ""): string =>
  `<image id="0" name="${name}" width="4" height="2" ${more}>${shapes}</image>`;

it("photos in images/, labels in CVAT's order, and photos of nothing but background", async () => {
  const folder = await folderOf({
    "annotations.xml": xml(image("s/b.jpg"), image("a.jpg", "", BOX)),
    ...{ "images/a.jpg": "", "images/s/b.jpg": "" },
  });
  expect(await isRecognised(cvat, folder)).toBe(true);
  expect(await isRecognised(cvat, join(folder, "annotations.xml"))).toBe(true);
  const found = await reading(cvat, folder);
  expect(lines(found, folder)).toEqual([
    "- a: images/a.jpg, annotations.xml",
    "- s/b: images/s/b.jpg, annotations.xml",
  ]);
  expect(found.declared).toEqual({
    where: join(folder, "annotations.xml"),
    keys: "labels",
    classes: ["shoe", "hat"].map((name) => ({ key: name, name })),
  });
  expect(drawn(found.pairs[0].annotation!, ["shoe"])).toEqual(["0110", "0110"]);
  expect(found.said).toEqual(["1 photo of 2 has no shape: background all over."]);
});

it("subsets of a project are parts, and may be folders", async () => {
  const folder = await folderOf({
    "annotations.xml": xml(
      image("a.jpg", 'subset="Train"'),
      image("a.jpg", 'subset="Validation"'),
      image("b.jpg"),
    ),
    ...{ "images/Train/a.jpg": "", "images/Validation/a.jpg": "", "images/b.jpg": "" },
  });
  expect(lines(await reading(cvat, folder), folder)).toEqual([
    "train Train/a: images/Train/a.jpg, annotations.xml",
    "val Validation/a: images/Validation/a.jpg, annotations.xml",
    "- b: images/b.jpg, annotations.xml",
  ]);
  const one = await folderOf({ "annotations.xml": xml(image("a.jpg", 'subset="Train"')), "a.jpg": "" });
  expect((await reading(cvat, one)).pairs[0].part).toBeUndefined();
});

it.each([
  [{ "a.xml": xml(image("a.jpg")) }, "1 photo of 1 that "],
  [
    { "a.xml": xml('<track id="0" label="hat"></track>') },
    'a.xml is of a video, and holds no photos: export it as "CVAT for images 1.1"',
  ],
  [{ "a.xml": xml() }, "a.xml holds no photo: export it anew"],
  [{ "a.xml": xml(), "b.xml": xml() }, "holds 2 files of CVAT ("],
  [{ "a.xml": "<html/>" }, "holds no annotations.xml of CVAT"],
])("%j", async (files, message) => {
  expect(await sentence(reading(cvat, await folderOf(files)))).toContain(message);
});

it("other XML is not it", async () => {
  expect(await isRecognised(cvat, await folderOf({ "a.xml": "<html/>" }))).toBe(false);
});
