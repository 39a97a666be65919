import { expect } from "vitest";

/** Largest |actual − expected| and largest |expected|; a number that is not finite counts as infinitely far off. */
export function worstDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): { difference: number; magnitude: number; at: number } {
  let difference = 0;
  let magnitude = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i] - expected[i]);
    const seen = Number.isFinite(distance) ? distance : Infinity;
    if (seen > difference) {
      difference = seen;
      at = i;
    }
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  return { difference, magnitude, at };
}

/**
 * Fails unless `actual` has the length of `expected` and max |actual − expected| ≤ `relative` · max |expected|. Where
 * all of `expected` is zero, `actual` must be exactly zero.
 */
export function expectClose(
  actual: ArrayLike<number> | null | undefined,
  expected: ArrayLike<number>,
  relative = 1e-5,
  what = "the result",
): void {
  if (!actual) expect.fail(`There is nothing to compare: ${what} is missing.`);
  expect(actual.length, "number of values").toBe(expected.length);
  const { difference, magnitude, at } = worstDifference(actual, expected);
  if (difference > relative * magnitude) {
    expect.fail(
      `Value ${at} of ${what} is ${actual[at]} and should be ${expected[at]}: off by ${difference}, which is ` +
        `${(difference / magnitude).toExponential(2)} of the largest value ${magnitude} (allowed: ${relative}).`,
    );
  }
}
