import { expect, test } from "vitest";
import { CLOTHING_CLASSES } from "../../../src/data/class-names.ts";
import { readDeclared } from "../../../src/data/classes/read-declared.ts";
import { Place } from "../../../src/data/formats/place.ts";
import { folderOf } from "../folder.ts";

const declared = async (files: Record<string, string>) =>
  readDeclared((await Place.at(await folderOf({ ...files, x: "" })))!);

const pairs = async (files: Record<string, string>): Promise<unknown> =>
  (await declared(files))?.classes.map(({ key, name }) => [key, name]);

test("nothing is declared where no file names the classes", async () => {
  expect(await declared({})).toBeNull();
});

test("reads labels.csv, in which not all classes need be named", async () => {
  expect(await pairs({ "labels.csv": 'label,name\r\n0,null\r\n2,"long, coat"\r\n' })).toEqual([
    [0, "null"],
    [2, "long, coat"],
  ]);
  expect(await pairs({ "labels.csv": ",label_list\n0,null\n1,accessories\n" })).toEqual([
    [0, "null"],
    [1, "accessories"],
  ]);
  for (const [text, words] of [
    ["hat\n0,null", 'line 1, is "hat"'],
    ["label,name\n0,null\nhat", 'line 3, is "hat"'],
    ["0,null\n0,hat", "line 2, names class 0 again"],
  ]) {
    await expect(declared({ "labels.csv": text })).rejects.toThrow(words);
  }
  expect(CLOTHING_CLASSES).toHaveLength(59);
  expect([0, 14, 41, 58].map((label) => CLOTHING_CLASSES[label])).toEqual([
    "null",
    "dress",
    "skin",
    "wedges",
  ]);
});

test("reads a name a line, LabelMe's list too", async () => {
  expect(await pairs({ "classes.txt": "sky\nroad\n" })).toEqual([
    [0, "sky"],
    [1, "road"],
  ]);
  expect(await pairs({ "class_names.txt": "__ignore__\n_background_\ncat\n" })).toEqual([
    [0, "_background_"],
    [1, "cat"],
  ]);
});

test("reads colours of classes, name first or last", async () => {
  const expected = [
    [0x000000, "void"],
    [0x804000, "traffic light"],
  ];
  expect(await pairs({ "class_dict.csv": "name,r,g,b\nvoid,0,0,0\ntraffic light,128,64,0\n" })).toEqual(
    expected,
  );
  expect(await pairs({ "label_colors.txt": "0 0 0\tvoid\n128 64 0\ttraffic light\n" })).toEqual(expected);
  await expect(declared({ "class_dict.csv": "name,r,g,b\nvoid,0,0,256\n" })).rejects.toThrow("line 2, is");
  await expect(declared({ "class_dict.csv": "a,0,0,0\nb,0,0,0\n" })).rejects.toThrow(
    'gives "b" the colour of another',
  );
});
