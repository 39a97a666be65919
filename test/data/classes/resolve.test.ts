import { expect, test } from "vitest";
import type { DeclaredClasses } from "../../../src/data/classes/declared.ts";
import { parseLabelMap } from "../../../src/data/classes/label-map.ts";
import { resolveLabelling } from "../../../src/data/classes/resolve.ts";
import type { LabellingEvidence, LabellingOptions } from "../../../src/data/classes/resolve.ts";
import { sumUp, surveyOf } from "../../../src/data/classes/survey.ts";
import type { Survey } from "../../../src/data/classes/survey.ts";
import { IGNORE } from "../../../src/data/dataset.ts";

interface Case extends Partial<LabellingEvidence>, Partial<Omit<LabellingOptions, "labelMap">> {
  /** What each mask holds. */
  masks?: readonly (readonly number[])[];
  map?: string;
}

const surveyed = (masks: readonly (readonly number[])[]): Survey =>
  sumUp(masks.map((values, i) => [`m${i}.png`, surveyOf(values, values.length, 1)]));

function resolve({ masks, map, ...rest }: Case) {
  const said: string[] = [];
  const evidence = { declared: null, uncounted: false, survey: masks ? surveyed(masks) : null, ...rest };
  const options = {
    ...{ classes: null, ignoreLabel: "auto" as const, ...rest },
    labelMap: map === undefined ? null : parseLabelMap(map, "map.csv"),
  };
  const { classNames, classes, ignores } = resolveLabelling(evidence, options, (sentence) =>
    said.push(sentence),
  );
  return { classNames, classes: Object.fromEntries(classes), ignores, said };
}

const refusal = (given: Case): string => {
  try {
    resolve(given);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("It was not refused.");
};

const values = (...names: string[]): DeclaredClasses => ({
  where: "labels.csv",
  keys: "values",
  classes: names.map((name, key) => ({ key, name })),
});
const labels = (...names: string[]): DeclaredClasses => ({
  where: "the categories",
  keys: "labels",
  classes: names.map((name) => ({ key: name, name })),
});
const named = (...names: string[]) => ({
  file: "names.txt",
  names: names.map((name, label) => ({ where: "names.txt", label, name })),
});

test("classes are the values that occur", () => {
  expect(resolve({ masks: [[0, 1, 1], [2]] })).toMatchObject({
    classNames: ["class 0", "class 1", "class 2"],
    classes: { 0: 0, 1: 1, 2: 2 },
    ignores: false,
    said: ["3 classes, from the values in the masks: 0 to 2 are the classes."],
  });
});

test("a class that does not occur between others is one all the same", () => {
  expect(resolve({ masks: [[0, 1, 3]] }).classNames).toHaveLength(4);
});

test("masks of 0 and 255 are of two classes, and it is said", () => {
  expect(
    resolve({
      masks: [
        [0, 0],
        [0, 255],
      ],
    }),
  ).toMatchObject({
    classNames: ["background", "foreground"],
    classes: { 0: 0, 255: 1 },
    ignores: false,
    said: [expect.stringContaining('0 is class 0, "background"; 255 is class 1, "foreground"')],
  });
});

test("255 does not count where it is the only one above the classes, and it is said", () => {
  const found = resolve({
    masks: [
      [0, 1, 2, 255],
      [255, 255],
    ],
  });
  expect(found).toMatchObject({ classes: { 0: 0, 1: 1, 2: 2, 255: IGNORE }, ignores: true });
  expect(found.said[1]).toBe(
    "Value 255 does not count, neither in the loss nor in any metric: 3 pixels of 2 masks.",
  );
  expect(resolve({ masks: [[0, 255]], declared: values("sky", "road") })).toMatchObject({ ignores: true });
  expect(resolve({ masks: [[0, 1]], declared: values("sky", "road") })).toMatchObject({ ignores: false });
  expect(resolve({ masks: [[0, 1, 2]], ignoreLabel: 0 })).toMatchObject({
    classes: { 0: IGNORE, 1: 0, 2: 1 },
  });
});

test("all numbers up to 255 are 256 classes", () => {
  const all = Array.from({ length: 256 }, (_, i) => i);
  expect(resolve({ masks: [all] })).toMatchObject({ ignores: false });
  expect(resolve({ masks: [all] }).classNames).toHaveLength(256);
  expect(resolve({ masks: [all], ignoreLabel: 255 }).classNames).toHaveLength(255);
});

test("few numbers far apart are a class each", () => {
  expect(resolve({ masks: [[0, 128, 255]] })).toMatchObject({
    classNames: ["value 0", "value 128", "value 255"],
    classes: { 0: 0, 128: 1, 255: 2 },
  });
});

test("one value, too many values, and smoothed edges are refused", () => {
  expect(refusal({ masks: [[7, 7]] })).toContain("All pixels of all masks are 7");
  expect(refusal({ masks: [Array.from({ length: 300 }, (_, i) => 100 * i)] })).toContain(
    "300 different values",
  );
  const smooth = [
    ...Array<number>(900).fill(0),
    ...Array<number>(900).fill(255),
    ...Array.from({ length: 40 }, (_, i) => 100 + i),
  ];
  expect(refusal({ masks: [smooth] })).toMatch(
    /but for 2\.2 % .* 40 greys between .*m0\.png at pixel \(1800, 0\)/,
  );
  expect(resolve({ masks: [smooth], map: "0-127,0\n128-255,1" })).toMatchObject({
    classNames: ["class 0", "class 1"],
  });
});

test("a value outside the classes is told with file, pixel, how many masks and the flags that mend it", () => {
  expect(
    refusal({
      masks: [
        [0, 1],
        [0, 0, 200],
        [200, 201],
      ],
      declared: values("sky", "road"),
    }),
  ).toBe(
    "Value 200 is none of the 2 classes from labels.csv: 2 masks have it (m1.png at pixel (2, 0), counted from the top left, " +
      "for one), and 201 is none either: say what it is with --label-map, a file with the line 200,CLASS or 200,ignore, or " +
      "--ignore-label 200 if it does not count, or --classes 202 if each number is a class.",
  );
  expect(refusal({ masks: [[0, 1, 255]], ignoreLabel: null, declared: values("sky", "road") })).toContain(
    "Value 255 is none",
  );
});

test("--classes overrules", () => {
  expect(resolve({ masks: [[0, 1]], classes: 4 }).classNames).toEqual([
    "class 0",
    "class 1",
    "class 2",
    "class 3",
  ]);
  expect(resolve({ masks: [[0, 1]], classes: 3, declared: values("sky", "road") }).classNames).toEqual([
    "sky",
    "road",
    "class 2",
  ]);
  expect(
    resolve({ masks: [[0, 1]], classes: named("a", "b"), declared: values("x", "y", "z") }).classNames,
  ).toEqual(["a", "b"]);
  expect(refusal({ masks: [[0, 1]], classes: 2, declared: values("x", "y", "z") })).toContain(
    "names class 2: give 3",
  );
});

test("labels of tools come behind the background, which they may name themselves", () => {
  expect(resolve({ declared: labels("cat", "dog") })).toMatchObject({
    classNames: ["background", "cat", "dog"],
    classes: { background: 0, cat: 1, dog: 2 },
    ignores: false,
  });
  expect(resolve({ declared: labels("cat", "_background_") })).toMatchObject({
    classNames: ["_background_", "cat"],
    classes: { background: 0, _background_: 0, cat: 1 },
  });
  expect(resolve({ declared: labels("cat"), uncounted: true }).ignores).toBe(true);
  expect(
    resolve({ declared: labels("cat", "dog"), classes: named("background", "dog", "cat") }).classes,
  ).toEqual({
    background: 0,
    dog: 1,
    cat: 2,
  });
  expect(refusal({ declared: labels("cat", "dog"), classes: named("cat") })).toContain('does not name "dog"');
  expect(refusal({ declared: labels("cat", "dog"), classes: 5 })).toContain("has 3 with the background");
  expect(refusal({ declared: labels("cat"), ignoreLabel: 3 })).toContain(
    "--ignore-label is a number of masks",
  );
});

test("a label map merges, drops and renames", () => {
  expect(
    resolve({ declared: labels("car", "truck", "cat"), map: "car,vehicle\ntruck,vehicle\ncat,ignore" }),
  ).toMatchObject({
    classNames: ["background", "vehicle"],
    classes: { background: 0, car: 1, truck: 1, cat: IGNORE },
    ignores: true,
  });
  expect(resolve({ masks: [[0, 1, 2, 3]], map: "2,1" })).toMatchObject({
    classNames: ["class 0", "class 1", "class 3"],
    classes: { 0: 0, 1: 1, 2: 1, 3: 2 },
  });
  expect(resolve({ masks: [[0, 1, 9]], declared: values("sky", "road"), map: "9 -> sky" })).toMatchObject({
    classNames: ["sky", "road"],
    classes: { 9: 0 },
  });
  expect(
    resolve({ masks: [[0, 1, 9, 17]], declared: values("sky", "road"), map: "0,sky\n1,road\n*,ignore" })
      .ignores,
  ).toBe(true);
  expect(resolve({ declared: labels("cat", "dog"), map: "background,ignore" })).toMatchObject({
    classNames: ["cat", "dog"],
    classes: { background: IGNORE },
  });
});

test("a star takes all that no other line names", () => {
  expect(resolve({ masks: [[0, 1, 2, 3]], map: "1,hat\n*,rest" })).toMatchObject({
    classNames: ["rest", "hat"],
    classes: { 0: 0, 1: 1, 2: 0, 3: 0 },
  });
  const declared = labels("cat", "dog", "car");
  expect(resolve({ declared, map: "cat,pet\ndog,pet\n*,ignore" })).toMatchObject({
    classNames: ["background", "pet"],
    classes: { background: 0, cat: 1, dog: 1, car: IGNORE },
  });
  expect(resolve({ declared, map: "cat,cat\n*,background" }).classNames).toEqual(["background", "cat"]);
  expect(resolve({ declared, map: "background,ignore\n*,thing\ncat,cat" }).classes).toMatchObject({
    background: IGNORE,
  });
});

test("a label map says what colours are", () => {
  expect(resolve({ map: "#000000,void\n255 0 0,hat\n#ff0001,hat\n#ffffff,ignore" })).toMatchObject({
    classNames: ["void", "hat"],
    classes: { 0: 0, [0xff0000]: 1, [0xff0001]: 1, [0xffffff]: IGNORE },
  });
  expect(resolve({ map: "#ff0000,1\n#000000,0" }).classNames).toEqual(["class 0", "class 1"]);
});

test("what a map says wrongly is told by its line", () => {
  const declared = labels("cat", "dog");
  expect(refusal({ declared, map: "from,to\ncat,pet\ntuck,pet" })).toBe(
    'map.csv, line 3, maps "tuck", which is no class of the data: it has background, cat, dog.',
  );
  expect(refusal({ declared, classes: named("background", "cat", "dog"), map: "dog,pet" })).toContain(
    'map.csv, line 1, has the class "pet", which names.txt does not name',
  );
  expect(refusal({ declared, map: "3,cat" })).toContain("line 1, maps a number, and the masks have names");
  expect(refusal({ masks: [[0, 1]], map: "0" })).toContain('line 1, is "0"');
  expect(refusal({ masks: [[0, 1]], map: "0,a\n0-3,b" })).toContain(
    "line 2, maps value 0 again, which map.csv, line 1 maps",
  );
  expect(refusal({ masks: [[0, 1]], map: "0 0 256,a" })).toContain("red, green and blue go from 0 to 255");
  expect(refusal({ masks: [[0, 1]], map: "9-3,a" })).toContain("the lower first");
  expect(refusal({ masks: [[0, 1]], map: "# nothing\n" })).toContain("maps nothing");
  expect(refusal({ masks: [[0, 1]], map: "0,a\n1,a" })).toContain("one class, and there is nothing to learn");
});

test("a model's classes are those of photos that tell nothing of theirs", () => {
  const model = ["background", "foreground"];
  expect(resolve({ masks: [[0, 255]], model }).classes).toEqual({ 0: 0, 255: 1 });
  expect(resolve({ masks: [[0, 0]], model }).classes).toEqual({ 0: 0, 1: 1 });
  expect(resolve({ masks: [[128]], model: ["value 0", "value 128"] }).classes).toEqual({ 0: 0, 128: 1 });
  expect(resolve({ declared: labels("dog"), model: ["background", "cat", "dog"] }).classes).toEqual({
    background: 0,
    cat: 1,
    dog: 2,
  });
});
