import { expect, it } from "vitest";
import { voc } from "../../../src/data/formats/voc.ts";
import { folderOf } from "../folder.ts";
import { sentence } from "../sentence.ts";
import { isRecognised, lines, reading } from "./reading.ts";

/** A set of the photos a to e, of which a to d have masks. */
const files = (root = "", masks = "SegmentationClass"): Record<string, string> => ({
  ...Object.fromEntries([..."abcde"].map((name) => [`${root}JPEGImages/${name}.jpg`, ""])),
  ...Object.fromEntries([..."abcd"].map((name) => [`${root}${masks}/${name}.png`, ""])),
  [`${root}SegmentationObject/a.png`]: "",
});
const list = (name: string): string => `ImageSets/Segmentation/${name}.txt`;
const names = async (folder: string): Promise<string[]> =>
  (await reading(voc, folder)).pairs.map(({ part = "-", name }) => `${part} ${name}`);

it("photos, masks and the split of train.txt and val.txt; most photos have no mask", async () => {
  const folder = await folderOf({
    ...files(),
    [list("train")]: "a\r\nc\r\n",
    [list("val")]: "b\n",
    [list("trainval")]: "a\nb\nc\n",
  });
  expect(await isRecognised(voc, folder)).toBe(true);
  const found = await reading(voc, folder);
  expect(lines(found, folder)).toEqual([
    "train a: JPEGImages/a.jpg, SegmentationClass/a.png",
    "val b: JPEGImages/b.jpg, SegmentationClass/b.png",
    "train c: JPEGImages/c.jpg, SegmentationClass/c.png",
  ]);
  expect(found.declared).toMatchObject({ where: "Pascal VOC", keys: "values", ignored: [255] });
  expect(found.declared!.classes).toHaveLength(21);
  expect(found.declared!.classes[15]).toEqual({ key: 15, name: "person" });
  expect(found.said).toEqual([
    `1 photo of 5 in ${folder}/JPEGImages (e.jpg, for one) has no mask: passed over.`,
    `1 photo of 4 with a mask is in none of the lists in ${folder}/ImageSets/Segmentation: passed over.`,
  ]);
});

it("what is only in trainval.txt", async () => {
  const both = "a\nb\nc\n";
  expect(await names(await folderOf({ ...files(), [list("trainval")]: both }))).toEqual([
    "- a",
    "- b",
    "- c",
  ]);
  expect(await names(await folderOf({ ...files(), [list("trainval")]: both, [list("val")]: "b\n" }))).toEqual(
    ["train a", "val b", "train c"],
  );
  expect(
    await names(await folderOf({ ...files(), [list("trainval")]: both, [list("train")]: "b\n" })),
  ).toEqual(["val a", "train b", "val c"]);
});

it("a test part, some of it without masks; lists of no known part; a set without lists", async () => {
  const folder = await folderOf({
    ...files(),
    [list("train")]: "a\n",
    [list("test")]: "b\ne\nf\n",
    [list("trainaug")]: "a\nc\n",
  });
  const { said, pairs } = await reading(voc, folder);
  expect(pairs.map(({ part, name }) => `${part} ${name}`)).toEqual(["train a", "test b"]);
  expect(said).toContain(
    `Lists of no known part are passed over: ${folder}/ImageSets/Segmentation/trainaug.txt.`,
  );
  expect(said).toContain('2 photos of the list "test" have no mask: passed over.');
  expect(await names(await folderOf({ ...files(), [list("default")]: "a\nb\n" }))).toEqual(["- a", "- b"]);
  expect(await names(await folderOf(files()))).toEqual(["- a", "- b", "- c", "- d"]);
});

it("the folder above, unless it holds two", async () => {
  const folder = await folderOf(files("VOCdevkit/VOC2012/"));
  expect(await isRecognised(voc, folder)).toBe(true);
  expect(lines(await reading(voc, folder), folder)[0]).toBe(
    "- a: VOCdevkit/VOC2012/JPEGImages/a.jpg, VOCdevkit/VOC2012/SegmentationClass/a.png",
  );
  const two = await folderOf({ ...files("VOC2007/"), ...files("VOC2012/") });
  expect(await sentence(reading(voc, two))).toBe(
    `${two} holds 2 data sets (${two}/VOC2007, ${two}/VOC2012): give one of them.`,
  );
});

it("matrices of NumPy and their pictures, as older versions of labelme2voc write them", async () => {
  const folder = await folderOf({
    ...files("", "SegmentationClassPNG"),
    "SegmentationClass/a.npy": "",
    "class_names.txt": "_background_\nhat\n",
  });
  const found = await reading(voc, folder);
  expect(lines(found, folder)[0]).toBe("- a: JPEGImages/a.jpg, SegmentationClassPNG/a.png");
  expect(found.declared).toEqual({
    where: `${folder}/class_names.txt`,
    keys: "values",
    classes: [
      { key: 0, name: "_background_" },
      { key: 1, name: "hat" },
    ],
    ignored: [255],
  });
});

it("the list of labels that labelme2voc takes: its first is not counted", async () => {
  const folder = await folderOf({ ...files(), "labels.txt": "__ignore__\n_background_\nhat\n" });
  expect((await reading(voc, folder)).declared!.classes).toEqual([
    { key: 0, name: "_background_" },
    { key: 1, name: "hat" },
  ]);
});

it("colours of labelmap.txt", async () => {
  const labelmap =
    "# label:color_rgb:parts:actions\nbackground:0,0,0::\nhat:250, 50,83::\nignored:224,224,192::\n";
  const folder = await folderOf({ ...files(), "labelmap.txt": labelmap });
  expect((await reading(voc, folder)).declared).toEqual({
    where: `${folder}/labelmap.txt`,
    keys: "colours",
    classes: [
      { key: 0, name: "background" },
      { key: 0xfa3253, name: "hat" },
    ],
    ignored: [0xe0e0c0],
  });
  const bare = await folderOf({ ...files(), "labelmap.txt": "background:::\nhat:::\nshoe:::\nbag:::\n" });
  expect((await reading(voc, bare)).declared!.classes.map(({ key }) => key)).toEqual([
    0, 0x800000, 0x008000, 0x808000,
  ]);
});

it.each([
  ["hat\n", 'labelmap.txt, line 1, is "hat": write name:red,green,blue::'],
  ["hat:1,2,256::\n", 'labelmap.txt, line 1, is "hat:1,2,256::"'],
  ["hat:1,2,3::\nbag:1,2,3::\n", 'labelmap.txt, line 2, gives "bag" the colour of "hat"'],
  ["hat:1,2,3::\nbag:::\n", 'labelmap.txt, line 2, gives "bag" no colour, and other lines give one'],
])("labelmap.txt: %j", async (text, message) => {
  const folder = await folderOf({ ...files(), "labelmap.txt": text });
  expect(await sentence(reading(voc, folder))).toContain(message);
});

it("lists that name what is not there, or one photo twice", async () => {
  const unknown = await folderOf({ ...files(), [list("train")]: "a\nx\n" });
  expect(await sentence(reading(voc, unknown))).toBe(
    `${unknown}/ImageSets/Segmentation/train.txt, line 2, names "x", and there is no such photo with a mask: add ` +
      "JPEGImages/x.jpg and SegmentationClass/x.png, or remove the line.",
  );
  const twice = await folderOf({ ...files(), [list("train")]: "a\n", [list("val")]: "b\na\n" });
  expect(await sentence(reading(voc, twice))).toContain(
    `val.txt, line 2, names "a", as ${twice}/ImageSets/Segmentation/train.txt, line 1 does: a photo is in one part only`,
  );
});

it("what is missing", async () => {
  const masks = await folderOf({ "JPEGImages/a.jpg": "", "SegmentationClass/readme.txt": "" });
  expect(await sentence(reading(voc, masks))).toContain(`${masks}/SegmentationClass holds no JPEG, PNG`);
  const photos = await folderOf({ "SegmentationClass/a.png": "", [list("train")]: "a\n" });
  expect(await sentence(reading(voc, photos))).toContain(`There is no folder ${photos}/JPEGImages`);
  const none = await folderOf({ "images/a.jpg": "" });
  expect(await isRecognised(voc, none)).toBe(false);
  expect(await sentence(reading(voc, none))).toContain("holds no folder SegmentationClass");
});
