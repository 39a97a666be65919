import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfusionMatrix } from "../../src/runs/metrics.ts";

/**
 * What one writes with NumPy: `m = bincount(C * truth + prediction, minlength=C * C).reshape(C, C)`,
 * `diag(m) / (m.sum(1) + m.sum(0) - diag(m))`, `diag(m).sum() / m.sum()`, `nanmean(iou[m.sum(1) > 0])`, and so on.
 */
function numpy(classes: number, truth: number[], prediction: number[]) {
  const bins: number[] = Array<number>(classes * classes).fill(0);
  truth.map((label, i) => classes * label + prediction[i]).forEach((bin) => (bins[bin] += 1));
  const matrix = Array.from({ length: classes }, (_, row) => bins.slice(row * classes, (row + 1) * classes));
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const rows = matrix.map(sum);
  const columns = matrix.map((_, column) => sum(matrix.map((row) => row[column])));
  const diagonal = matrix.map((row, i) => row[i]);
  const iou = diagonal.map((hits, i) => hits / (rows[i] + columns[i] - hits));
  const precision = diagonal.map((hits, i) => hits / columns[i]);
  const recall = diagonal.map((hits, i) => hits / rows[i]);
  const meanOfPresent = (values: number[]): number => {
    const present = values.filter((_, i) => rows[i] > 0);
    return sum(present) / present.length;
  };
  const dice = diagonal.map((hits, i) => (2 * hits) / (rows[i] + columns[i]));
  return {
    bins,
    perClass: { rows, columns, iou, dice, precision, recall },
    accuracy: sum(diagonal) / sum(bins),
    meanIou: meanOfPresent(iou),
    meanDice: meanOfPresent(dice),
    meanAccuracy: meanOfPresent(recall),
    frequencyWeightedIou: sum(rows.map((pixels, i) => (pixels > 0 ? pixels * iou[i] : 0))) / sum(bins),
    backgroundShare: rows[0] / sum(bins),
  };
}

const MEANS = [
  "accuracy",
  "meanIou",
  "meanDice",
  "meanAccuracy",
  "frequencyWeightedIou",
  "backgroundShare",
] as const;

const masks = fc.integer({ min: 1, max: 9 }).chain((classes) => {
  const label = fc.integer({ min: 0, max: classes - 1 });
  const pairs = fc.array(fc.tuple(label, label), { minLength: 1, maxLength: 200 });
  return fc.record({ classes: fc.constant(classes), pairs });
});

describe("ConfusionMatrix", () => {
  it("agrees exactly with NumPy's formulas", () => {
    fc.assert(
      fc.property(masks, ({ classes, pairs }) => {
        const truth = pairs.map(([label]) => label);
        const prediction = pairs.map(([, label]) => label);
        const expected = numpy(classes, truth, prediction);
        const matrix = new ConfusionMatrix(classes);
        matrix.add(Uint8Array.from(truth), Uint32Array.from(prediction));
        const defined = (values: number[]) => values.map((value) => (Number.isNaN(value) ? null : value));
        expect([...matrix.counts]).toEqual(expected.bins);
        expect([...matrix.pixelCounts()]).toEqual(expected.perClass.rows);
        expect([...matrix.predictedCounts()]).toEqual(expected.perClass.columns);
        for (const metric of ["iou", "dice", "precision", "recall"] as const)
          expect(matrix[metric](), metric).toEqual(defined(expected.perClass[metric]));
        for (const metric of MEANS) expect(matrix[metric], metric).toBe(expected[metric]);
        expect(matrix.total).toBe(pairs.length);
      }),
    );
  });

  it("is the same however the pixels are dealt out", () => {
    fc.assert(
      fc.property(masks, fc.nat(), ({ classes, pairs }, cut) => {
        const truth = Uint32Array.from(pairs, ([label]) => label);
        const prediction = Uint32Array.from(pairs, ([, label]) => label);
        const [whole, parts] = [new ConfusionMatrix(classes), new ConfusionMatrix(classes)];
        whole.add(truth, prediction);
        parts.add(truth, prediction, 0, cut % pairs.length);
        parts.add(truth, prediction, cut % pairs.length);
        expect(parts.counts).toEqual(whole.counts);
      }),
    );
  });

  it("leaves a class without true pixels out of the mean, and has no IoU for one that is nowhere", () => {
    const matrix = new ConfusionMatrix(4);
    matrix.add(Uint8Array.of(0, 0, 0, 1), Uint8Array.of(0, 0, 2, 1));
    expect(matrix.iou()).toEqual([2 / 3, 1, 0, null]);
    expect(matrix.meanIou).toBe((2 / 3 + 1) / 2);
    expect(new ConfusionMatrix(2).meanIou).toBeNaN();
  });

  it("has the figures of a case worked out by hand", () => {
    // Of class 0 6 of 8 pixels are found, 1 pixel of class 1 is taken for it; class 2 is predicted once and nowhere true.
    const matrix = new ConfusionMatrix(4);
    matrix.addCounts([6, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(matrix.iou()).toEqual([6 / 9, 1 / 3, 0, null]);
    expect(matrix.dice()).toEqual([12 / 15, 2 / 4, 0, null]);
    expect(matrix.precision()).toEqual([6 / 7, 1 / 2, 0, null]);
    expect(matrix.recall()).toEqual([6 / 8, 1 / 2, null, null]);
    expect(matrix.meanDice).toBe((12 / 15 + 2 / 4) / 2);
    expect(matrix.meanAccuracy).toBe((6 / 8 + 1 / 2) / 2);
    expect(matrix.frequencyWeightedIou).toBe((8 * (6 / 9) + 2 * (1 / 3)) / 10);
    expect(matrix.backgroundShare).toBe(0.8);
  });

  it("has no figures when nothing was counted", () => {
    const matrix = new ConfusionMatrix(2);
    for (const metric of MEANS) expect(matrix[metric], metric).toBeNaN();
    for (const metric of ["iou", "dice", "precision", "recall"] as const)
      expect(matrix[metric](), metric).toEqual([null, null]);
  });

  it("adds counts that others made, of as many classes", () => {
    const [whole, added] = [new ConfusionMatrix(2), new ConfusionMatrix(2)];
    whole.add(Uint8Array.of(0, 0, 1), Uint8Array.of(0, 1, 1));
    added.addCounts(Uint32Array.of(1, 0, 0, 1));
    added.addCounts(Uint32Array.of(0, 1, 0, 0));
    expect(added.counts).toEqual(whole.counts);
    expect(() => added.addCounts(new Uint32Array(9))).toThrow(
      "9 counts cannot be added to the 4 of 2 classes.",
    );
  });

  it("refuses a class out of range and counts nothing then", () => {
    const matrix = new ConfusionMatrix(3);
    expect(() => matrix.add(Uint8Array.of(0, 3), Uint8Array.of(0, 0))).toThrow(
      "Pixel 1 has class 3 and was predicted as 0; with 3 classes the highest id is 2.",
    );
    expect(() => matrix.add(Int32Array.of(0, 0), Int32Array.of(0, -1))).toThrow(RangeError);
    expect(() => matrix.add(Uint8Array.of(0), Uint8Array.of(0, 0))).toThrow(RangeError);
    expect(() => matrix.add(Uint8Array.of(0), Uint8Array.of(0), 0, 2)).toThrow(RangeError);
    expect(() => new ConfusionMatrix(0)).toThrow(RangeError);
    expect(matrix.total).toBe(0);
  });
});
