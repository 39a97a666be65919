import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import {
  accuracyRange,
  curvesFigure,
  fineTuningStart,
  wholeTicks,
} from "../../../src/runs/figures/curves.ts";
import type { HistoryRow } from "../../../src/runs/history.ts";

const history = (frozen: number, finetune: number): HistoryRow[] =>
  Array.from({ length: frozen + finetune }, (_, i) => ({
    epoch: i + 1,
    phase: i < frozen ? "frozen" : "finetune",
    loss: 3 / (i + 1),
    accuracy: 0.9 - 0.3 / (i + 1),
    valLoss: 3.2 / (i + 1),
    valAccuracy: 0.85 - 0.3 / (i + 1),
    valDice: 0.1,
    valFwIou: 0.6,
    valMeanIou: 0.2 - 0.1 / (i + 1),
    seconds: 1,
  }));

/** How many pixels have about this colour. */
async function count(png: Buffer, [r, g, b]: readonly number[]): Promise<number> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  let pixels = 0;
  for (let i = 0; i < data.length; i += info.channels)
    if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) pixels++;
  return pixels;
}
const [blue, orange] = [
  [0x2f, 0x6f, 0xde],
  [0xe0, 0x66, 0x2b],
];

describe("curvesFigure", () => {
  it("draws both curves", async () => {
    const png = await curvesFigure(history(4, 2), { title: "A run", backgroundAccuracy: 0.77 });
    const empty = await curvesFigure([]);
    expect(await count(png, blue)).toBeGreaterThan(2 * (await count(empty, blue)));
    expect(await count(png, orange)).toBeGreaterThan(2 * (await count(empty, orange)));
  });

  it.each([
    [1, 0],
    [0, 1],
    [2, 1],
    [20, 20],
  ])("draws %i frozen and %i fine-tuning epochs", async (frozen, finetune) => {
    const { format, width } = await sharp(await curvesFigure(history(frozen, finetune))).metadata();
    expect([format, width]).toEqual(["png", 1660]);
  });
});

it("breaks a curve where a number is missing", async () => {
  const whole = history(5, 0);
  const broken = whole.map((row) => (row.epoch === 3 ? { ...row, loss: Infinity, accuracy: NaN } : row));
  const [png, gap] = await Promise.all([curvesFigure(whole), curvesFigure(broken)]);
  expect(await count(gap, blue)).toBeLessThan(0.8 * (await count(png, blue)));
  expect(await count(gap, orange)).toBeGreaterThan(0.95 * (await count(png, orange)));
});

it("keeps the fine-tuning label inside its panel when it starts late", async () => {
  const png = await curvesFigure(history(39, 1));
  const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
  // Right of each panel's frame, in pixels, above the epochs.
  const inked = [794, 1600].filter((left) => {
    for (let y = 184; y < 670; y++)
      for (let x = left; x < left + 20; x++) if (data[y * info.width + x] < 255) return true;
    return false;
  });
  expect(inked).toEqual([]);
});

it("finds where fine-tuning starts", () => {
  expect(fineTuningStart(history(4, 2))).toBe(5);
  expect(fineTuningStart(history(4, 0))).toBeNull();
  expect(fineTuningStart(history(0, 2))).toBeNull();
});

it("marks whole epochs, not too many", () => {
  expect(wholeTicks(1, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(wholeTicks(1, 40)).toEqual([5, 10, 15, 20, 25, 30, 35, 40]);
  expect(wholeTicks(1, 1)).toEqual([1]);
});

it("shows two hundredths of accuracy at least, within 0 and 1", () => {
  expect(accuracyRange([])).toEqual([0, 1]);
  expect(accuracyRange([0.25, 0.5])).toEqual([0.25, 0.5]);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (values) => {
      const [low, high] = accuracyRange(values);
      expect(high - low).toBeGreaterThan(0.02 - 1e-12);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThan(1 + 1e-12);
      expect(Math.min(...values)).toBeGreaterThan(low - 1e-12);
      expect(Math.max(...values)).toBeLessThan(high + 1e-12);
    }),
  );
});
