import { expect, it } from "vitest";
import { median, milliseconds, timesOf } from "../../bench/step/times.ts";

it("takes the middle one, or the mean of the middle two", () => {
  expect(median([10, 1, 2])).toBe(2);
  expect(median([10, 1, 2, 3])).toBe(2.5);
  expect(() => median([])).toThrow("no numbers");
});

it("says how often it was measured and between which limits", () => {
  expect(timesOf([3, 9, 6])).toEqual({ median: 6, min: 3, max: 9, count: 3 });
});

it("writes milliseconds with three figures at least", () => {
  expect([0.012345, 1.5, 99.94, 12345.6].map(milliseconds)).toEqual([
    "0.0123 ms",
    "1.50 ms",
    "99.9 ms",
    "12,346 ms",
  ]);
});
