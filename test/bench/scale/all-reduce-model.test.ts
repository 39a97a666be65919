import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allReduceSeconds,
  exposedSeconds,
  fitLine,
  fitLines,
  quickest,
  secondsBy,
} from "../../../bench/scale/all-reduce-model.ts";

const link = { name: "test", latency: 1e-5, perByte: 1e-9, perSum: 2e-10 };

describe("the model of an all-reduce", () => {
  test("is that of the paper, term by term", () => {
    const { "recursive doubling": doubling, Rabenseifner: halving, ring } = allReduceSeconds(link, 8, 1e6);
    expect(doubling).toBeCloseTo(3 * (1e-5 + 1e-3 + 2e-4), 12);
    expect(halving).toBeCloseTo(2 * 3 * 1e-5 + 2 * (7 / 8) * 1e-3 + (7 / 8) * 2e-4, 12);
    expect(ring).toBeCloseTo(2 * 7 * 1e-5 + 2 * (7 / 8) * 1e-3 + (7 / 8) * 2e-4, 12);
    // Six ranks are four, and two that give and get.
    expect(allReduceSeconds(link, 6, 1e6)["recursive doubling"]).toBeCloseTo(3 * 1.21e-3 + 1.01e-3, 12);
    expect(quickest(link, 1, 1e6)).toBe(0);
  });

  test("sends short messages in few steps and long ones in few bytes", () => {
    const winner = (ranks: number, bytes: number): string =>
      Object.entries(allReduceSeconds(link, ranks, bytes)).sort(([, a], [, b]) => a - b)[0][0];
    expect(winner(16, 64)).toBe("recursive doubling");
    expect(winner(16, 1e7)).toBe("Rabenseifner");
    expect(winner(6, 1e8)).toBe("ring");
  });

  test("takes no less for twice the ranks or for more bytes", () => {
    const ranks = fc.integer({ min: 1, max: 7 }).map((power) => 2 ** power);
    fc.assert(
      fc.property(
        ranks,
        fc.integer({ min: 4, max: 1e8 }),
        fc.integer({ min: 0, max: 1e6 }),
        (p, bytes, more) => {
          expect(quickest(link, 2 * p, bytes)).toBeGreaterThanOrEqual(quickest(link, p, bytes));
          expect(quickest(link, p, bytes + more)).toBeGreaterThanOrEqual(quickest(link, p, bytes));
        },
      ),
    );
  });
});

describe("what exchanges add to a step", () => {
  const buckets = [
    { bytes: 3, before: 0.5 },
    { bytes: 2, before: 0.1 },
    { bytes: 1, before: 0 },
  ];
  test("is what is left of them behind the last gradients", () => {
    // The first is done by 0.2 before the end, the second by 0.1 behind it, and the third then.
    expect(exposedSeconds(buckets, (bytes) => bytes * 0.1, true)).toBeCloseTo(0.2, 12);
    expect(exposedSeconds(buckets, (bytes) => bytes * 0.001, true)).toBeCloseTo(0.001, 12);
    expect(exposedSeconds(buckets, (bytes) => bytes * 0.1, false)).toBeCloseTo(0.6, 12);
    expect(exposedSeconds([], () => 1, true)).toBe(0);
  });

  test("is never more with overlap, nor less than the last one's", () => {
    const bucket = fc.record({
      bytes: fc.integer({ min: 1, max: 100 }),
      before: fc.double({ min: 0, max: 9, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(bucket, { minLength: 1 }),
        fc.double({ min: 1e-4, max: 1, noNaN: true }),
        (some, each) => {
          const all = [...some, { bytes: 1, before: 0 }];
          const overlapped = exposedSeconds(all, (bytes) => bytes * each, true);
          const behind = exposedSeconds(all, (bytes) => bytes * each, false);
          expect(overlapped).toBeLessThanOrEqual(behind + 1e-9);
          expect(overlapped).toBeGreaterThanOrEqual(each * 0.999999);
        },
      ),
    );
  });
});

describe("the lines through what was measured", () => {
  const at = (bytes: number, latency: number, perByte: number) => ({
    bytes,
    seconds: latency + bytes * perByte,
  });
  test("are found again", () => {
    const fitted = fitLine([1e3, 1e5, 1e7].map((bytes) => at(bytes, 4e-5, 3e-10)));
    expect(fitted.latency * 1e5).toBeCloseTo(4, 6);
    expect(fitted.perByte * 1e10).toBeCloseTo(3, 6);
    expect(fitted.worst).toBeLessThan(1e-9);
    expect(fitLine([at(1e3, 4e-5, 0), at(1e5, 8e-5, 0), at(1e7, 2e-5, 0)]).worst).toBeGreaterThan(0.3);
  });

  test("are another one for long messages", () => {
    const measured = [
      ...[4e3, 2e5].map((bytes) => at(bytes, 1e-5, 1e-10)),
      ...[2e6, 6e7].map((bytes) => at(bytes, 1e-3, 1e-9)),
    ];
    const fitted = fitLines(measured);
    for (const { bytes, seconds } of measured) expect(secondsBy(fitted, bytes) / seconds).toBeCloseTo(1, 9);
  });
});
