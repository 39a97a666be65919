import { expect, it } from "vitest";
import { cityscapes } from "../../../src/data/formats/cityscapes.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

const photo = (name: string): Record<string, string> => ({ [`leftImg8bit/${name}_leftImg8bit.png`]: "" });
const labels = (name: string, kind = "gtFine_labelIds", folder = "gtFine"): Record<string, string> => ({
  [`${folder}/${name}_${kind}.png`]: "",
  [`${folder}/${name}_${folder}_color.png`]: "",
  [`${folder}/${name}_${folder}_polygons.json`]: "",
});
const [a, b, c] = ["train/ulm/ulm_0_1", "val/bonn/bonn_0_2", "test/rom/rom_0_3"];
const photos = { ...photo(a), ...photo(b), ...photo(c) };

it("the 19 classes by their ids, the split, and no photo of the test part", async () => {
  const folder = await folderOf({ ...photos, ...labels(a), ...labels(b), ...labels(c) });
  expect(await isRecognised(cityscapes, folder)).toBe(true);
  const found = await reading(cityscapes, folder);
  expect(lines(found, folder)).toEqual([
    `train ${a}: leftImg8bit/${a}_leftImg8bit.png, gtFine/${a}_gtFine_labelIds.png`,
    `val ${b}: leftImg8bit/${b}_leftImg8bit.png, gtFine/${b}_gtFine_labelIds.png`,
  ]);
  const { classes, compact, ignored } = found.declared!;
  expect(classes.map(({ key }) => key)).toEqual([
    ...[7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33],
  ]);
  expect(classes[13]).toEqual({ key: 26, name: "car" });
  expect(compact).toBe(true);
  expect(ignored).toEqual([0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30, 255]);
  expect(found.said).toEqual([
    'Without 1 photo of the part "test": Cityscapes keeps the labels of that part to itself, and what lies in gtFine/test says nothing.',
  ]);
});

it("masks of train ids", async () => {
  const folder = await folderOf({ ...photo(a), ...labels(a, "gtFine_labelTrainIds") });
  const { declared, pairs } = await reading(cityscapes, folder);
  expect(pairs[0].mask).toContain("labelTrainIds.png");
  expect(declared!.classes[13]).toEqual({ key: 13, name: "car" });
  expect(declared!.ignored).toEqual([255]);
});

it("coarse labels, and the part that only they have", async () => {
  const extra = "train_extra/graz/graz_0_4";
  const folder = await folderOf({
    ...photo(a),
    ...photo(extra),
    ...labels(a, "gtCoarse_labelIds", "gtCoarse"),
    ...labels(extra, "gtCoarse_labelIds", "gtCoarse"),
  });
  const { pairs } = await reading(cityscapes, folder);
  expect(pairs.map(({ part, name }) => `${part} ${name}`)).toEqual([`train ${a}`, `train ${extra}`]);
});

it("what is missing", async () => {
  const none = await folderOf(photos);
  expect(await isRecognised(cityscapes, none)).toBe(false);
  expect(await sentence(reading(cityscapes, none))).toContain(`There is no folder ${none}/gtFine`);
  const polygons = await folderOf({ ...photos, "gtFine/train/ulm/ulm_0_1_gtFine_polygons.json": "" });
  expect(await sentence(reading(cityscapes, polygons))).toContain(
    `${polygons}/gtFine holds no *_gtFine_labelIds.png file`,
  );
  const alone = await folderOf({ ...photo(b), ...labels(a), ...labels(b) });
  expect(await sentence(reading(cityscapes, alone))).toContain(`${a}_gtFine_labelIds.png has no photo`);
});
