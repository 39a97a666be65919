import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseClassWeights, readClassWeights } from "../../src/train/class-weights-file.ts";

const NAMES = ["background", "road, wet", "7", "tree"];
const parse = (text: string): number[] => [...parseClassWeights(text, "w.csv", NAMES)];

describe("a file of class weights", () => {
  it("names classes or numbers them, in any order", () => {
    expect(parse('tree,4\n0,0\n"road, wet",2.5\n7,1e-1\n')).toEqual([0, 2.5, Math.fround(0.1), 4]);
    // A name that is a number is the name.
    expect(parse("class;weight\r\n3;4\r\n\r\n1;2\r\n7;3\r\nbackground;1")).toEqual([1, 2, 3, 4]);
    expect(parse("background\t1\nroad, wet\t2\n2\t3\n tree \t 4 ")).toEqual([1, 2, 3, 4]);
  });

  it("gives every class the weight of its line", () => {
    const weights = fc.array(fc.float({ min: 0, max: 1000, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(weights, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (weights, order) => {
        fc.pre(weights.some((weight) => weight > 0));
        const lines = order.map((label) => `"${NAMES[label]}",${weights[label]}`);
        expect(parse(lines.join("\n"))).toEqual(weights.map((weight) => weight + 0));
      }),
    );
  });

  it.each([
    ["tree", 'w.csv, line 1, is "tree": write the name or number of a class, a comma and its weight.'],
    [
      "tree,1\nhat,2",
      'w.csv, line 2, weighs "hat", which is no class: the classes are 0 background, 1 road, wet, 2 7, 3 tree.',
    ],
    ["4,1", 'w.csv, line 1, weighs "4", which is no class'],
    ["tree,-1", 'w.csv, line 1, gives "tree" the weight "-1": write a number from 0 up.'],
    ["tree,1\n0,much", 'w.csv, line 2, gives "background" the weight "much": write a number from 0 up.'],
    ["tree,", 'w.csv, line 1, gives "tree" the weight "": write a number from 0 up.'],
    ["tree,1e39", 'gives "tree" the weight "1e39": write a number from 0 up.'],
    ["tree,1\n3,1", 'w.csv, line 2, weighs "tree" again: weigh each class once.'],
    ["tree,1\n0,2\n7,2", 'w.csv has no weight for class 1, "road, wet": give each class a line.'],
    ["tree,1", 'w.csv has no weight for class 0, "background" and 2 others: give each class a line.'],
    ["", 'w.csv has no weight for class 0, "background" and 3 others: give each class a line.'],
    ["0,0\n1,0\n2,0\n3,0", "w.csv gives every class the weight 0, so that nothing would be learned."],
  ])("says what is wrong in %j", (text, sentence) => {
    expect(() => parse(text)).toThrow(sentence);
  });

  describe("on the disk", () => {
    let folder = "";
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "class-weights-"));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it("is read, with a byte order mark too", async () => {
      const file = join(folder, "w.csv");
      await writeFile(file, "\uFEFFtree,4\n0,1\n1,2\n7,3\n");
      expect([...(await readClassWeights(file, NAMES))]).toEqual([1, 2, 3, 4]);
    });

    it("that is not there is no kind either", async () => {
      const file = join(folder, "balancd");
      await expect(readClassWeights(file, NAMES)).rejects.toThrow(
        `--class-weights ${file} is none of the kinds, and there is no such file: give none, balanced, sqrt, enet or a file of ` +
          "lines such as background,1.",
      );
      await expect(readClassWeights(folder, NAMES)).rejects.toThrow(`--class-weights ${folder} is no file`);
    });
  });
});
