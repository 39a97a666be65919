import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { trainTestSplit } from "../../src/data/split.ts";
import type { Split } from "../../src/data/split.ts";

test("is scikit-learn's split of ten", () => {
  expect(trainTestSplit(10, { seed: 0 })).toEqual({ test: [2, 8], train: [4, 9, 1, 6, 7, 3, 0, 5] });
});

const golden = process.env.BESPOKE_GOLDEN;
if (golden === undefined) console.log("split: BESPOKE_GOLDEN is not set, so the golden file is not compared");

test.skipIf(golden === undefined)("is scikit-learn's split in every case of the golden file", async () => {
  const text = await readFile(join(golden!, "train_test_split.json"), "utf8");
  const cases = Object.entries(JSON.parse(text) as Record<string, Split>);
  expect(cases.length).toBeGreaterThan(3);
  for (const [name, split] of cases) {
    const [, n, seed] = /^n(\d+)_seed(\d+)$/.exec(name)!.map(Number);
    expect(trainTestSplit(n, { testSize: 0.2, seed }), name).toEqual(split);
  }
});

test("parts every index once, the test set rounded up", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 300 }),
      fc.nat(0xffffffff),
      fc.integer({ min: 1, max: 50 }),
      (n, seed, k) => {
        const { train, test: held } = trainTestSplit(n, { testSize: k / 100, seed });
        expect(held.length).toBe(Math.ceil((k / 100) * n));
        expect([...train, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      },
    ),
  );
});

test("refuses what cannot be split", () => {
  expect(() => trainTestSplit(1, { seed: 0 })).toThrow("1 photos cannot be split");
  expect(() => trainTestSplit(0, { seed: 0 })).toThrow("give at least two");
  expect(() => trainTestSplit(10, { seed: -1 })).toThrow("The seed -1 cannot be used");
  expect(() => trainTestSplit(10, { seed: 1.5 })).toThrow("The seed 1.5 cannot be used");
  expect(() => trainTestSplit(10, { seed: 0, testSize: 1 })).toThrow("The test fraction 1");
});
