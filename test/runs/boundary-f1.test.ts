import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundaryF1 } from "../../src/runs/boundary-f1.ts";

const IGNORED = 0xffffffff;

/** A square mask of `side` × `side` from what each pixel is. */
const mask = (side: number, label: (x: number, y: number) => number): Uint32Array =>
  Uint32Array.from({ length: side * side }, (_, i) => label(i % side, Math.floor(i / side)));

/** Class 0 left of `x`, class 1 from there on. */
const halves = (side: number, at: number): Uint32Array => mask(side, (x) => (x < at ? 0 : 1));

function score(truth: Uint32Array, prediction: Uint32Array, side: number, classes = 2): BoundaryF1 {
  const result = new BoundaryF1(classes);
  result.add(truth, prediction, side);
  return result;
}

describe("BoundaryF1", () => {
  it("is 1 within the tolerance, which is one pixel in a small photo, and 0 beyond", () => {
    expect(score(halves(10, 5), halves(10, 5), 10).mean).toBe(1);
    expect(score(halves(10, 5), halves(10, 6), 10).mean).toBe(1);
    expect(score(halves(10, 5), halves(10, 7), 10).mean).toBe(0);
  });

  it("has a tolerance of 0.75 % of the diagonal", () => {
    // 0.0075 · 400 · √2 = 4.24.
    expect(score(halves(400, 200), halves(400, 204), 400).mean).toBe(1);
    expect(score(halves(400, 200), halves(400, 205), 400).mean).toBe(0);
  });

  it("has the figures of a case worked out by hand", () => {
    // Right in the upper half; in the lower one the edge lies three columns too far.
    const prediction = mask(10, (x, y) => (x < (y < 5 ? 5 : 8) ? 0 : 1));
    // Of each class 12 pixels are on a predicted boundary: 5 above and 5 below, with the corners of the step 2 more. 6 of
    // them lie within a pixel of the true one's 10, and 6 of these within a pixel of them.
    const [precision, recall] = [6 / 12, 6 / 10];
    const expected = (2 * precision * recall) / (precision + recall);
    const result = score(halves(10, 5), prediction, 10);
    expect(result.perClass()).toEqual([expected, expected]);
    expect(result.mean).toBe(expected);
  });

  it("is the mean over photos of the mean over the classes with a true boundary there", () => {
    const result = new BoundaryF1(4);
    result.add(halves(10, 5), halves(10, 5), 10);
    // Class 2 is missed where class 1 was; class 0 is met. A predicted class 3 is not in the mean.
    const truth = mask(10, (x) => (x < 5 ? 0 : 2));
    result.add(
      truth,
      mask(10, (x) => (x < 5 ? 0 : 3)),
      10,
    );
    // Nothing but one class: no boundary, and not in the mean.
    result.add(
      mask(10, () => 1),
      halves(10, 5),
      10,
    );
    expect(result.perClass()).toEqual([1, 1, 0, null]);
    expect(result.mean).toBe((1 + 1 / 2) / 2);
  });

  it("looks through pixels that do not count", () => {
    // Whatever is predicted where the truth does not count is on no boundary.
    const truth = mask(10, (x, y) => (y >= 5 ? IGNORED : x < 5 ? 0 : 1));
    const prediction = mask(10, (x, y) => (y >= 5 ? (x + y) % 2 : x < 5 ? 0 : 1));
    expect(score(truth, prediction, 10).mean).toBe(1);
    // A band along the whole edge leaves no boundary to compare.
    const banded = mask(10, (x) => (x === 5 ? IGNORED : x < 5 ? 0 : 1));
    expect(score(banded, halves(10, 5), 10).mean).toBeNull();
    expect(score(banded, halves(10, 2), 10).mean).toBeNull();
  });

  it("has no figure without a photo, and none for one class", () => {
    expect(new BoundaryF1(2).mean).toBeNull();
    expect(score(new Uint32Array(9), new Uint32Array(9), 3, 1).perClass()).toEqual([null]);
  });

  it("is 1 for what is equal, and lies between 0 and 1", () => {
    const pixels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 36, maxLength: 36 });
    fc.assert(
      fc.property(pixels, pixels, (a, b) => {
        const [truth, prediction] = [Uint32Array.from(a), Uint32Array.from(b)];
        for (const value of score(truth, truth, 6, 4).perClass()) expect([1, null]).toContain(value);
        const { mean } = score(truth, prediction, 6, 4);
        expect(mean ?? 0).toBeGreaterThanOrEqual(0);
        expect(mean ?? 0).toBeLessThanOrEqual(1);
      }),
    );
  });
});
