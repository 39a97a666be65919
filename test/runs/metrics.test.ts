import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfusionMatrix } from "../../src/runs/metrics.ts";

/**
 * What one writes with NumPy: `m = bincount(C * truth + prediction, minlength=C * C).reshape(C, C)`,
 * `diag(m) / (m.sum(1) + m.sum(0) - diag(m))`, `diag(m).sum() / m.sum()`, `nanmean(iou[m.sum(1) > 0])`.
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
  const present = iou.filter((_, i) => rows[i] > 0);
  return {
    bins,
    rows,
    columns,
    iou,
    accuracy: sum(diagonal) / sum(bins),
    meanIou: sum(present) / present.length,
  };
}

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
        expect([...matrix.counts]).toEqual(expected.bins);
        expect([...matrix.pixelCounts()]).toEqual(expected.rows);
        expect([...matrix.predictedCounts()]).toEqual(expected.columns);
        expect(matrix.iou()).toEqual(expected.iou.map((value) => (Number.isNaN(value) ? null : value)));
        expect(matrix.accuracy).toBe(expected.accuracy);
        expect(matrix.meanIou).toBe(expected.meanIou);
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
