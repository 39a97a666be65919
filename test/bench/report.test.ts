import { describe, expect, it } from "vitest";
import { idealTime } from "../../bench/ceilings.ts";
import { largestDifference } from "../../bench/contender.ts";
import type { Timing } from "../../bench/measure.ts";
import { figure, summarize, summaryLines, tableHead, tableRow } from "../../bench/report.ts";
import type { Row, TfjsResult } from "../../bench/report.ts";

const timing = (median: number): Timing => ({
  ...{ median, min: median, max: median, count: 3, host: 0, cpu: 0 },
});

const row = (name: string, direction: Row["direction"], tfjs: TfjsResult | null): Row => ({
  ...{ name, direction, tfjs, shape: "[2, 4]", prepareMs: 1, ours: timing(2), gflopPerSecond: null },
  ...{ gbPerSecond: 1.5, bound: "memory", share: 0.256 },
});
const beside = (ratio: number, difference: number | null = 0): TfjsResult => ({
  ...{ theirs: timing(2 * ratio), ratio, difference },
});

describe("the benchmark's summary", () => {
  const rows = [
    row("a", "forward", beside(4)),
    row("b", "forward", beside(0.25)),
    row("c", "backward", beside(9)),
    row("d", "backward", { lacking: "no kernel" }),
    row("e", "forward", beside(0.5)),
  ];

  it("takes geometric means by direction and puts the worst of the slower cases first", () => {
    const summary = summarize(rows);
    expect(summary.meanRatio.forward).toBeCloseTo(0.5 ** (1 / 3));
    expect(summary.meanRatio.backward).toBeCloseTo(9);
    expect(summary.meanRatio).not.toHaveProperty("update");
    expect(summary.slower).toEqual(["b", "e"]);
  });

  it("says what is slower and what tfjs cannot do", () => {
    expect(summaryLines(rows, summarize(rows))).toEqual([
      "Faster than tfjs's WebGPU backend, geometric mean: forward 0.794×, backward 9.00×.",
      "2 of 4 cases are slower than tfjs's:",
      "  0.250×  b",
      "  0.500×  e",
      "tfjs cannot do d: no kernel",
    ]);
  });

  it("has nothing to say where tfjs was left out", () => {
    const alone = [row("a", "forward", null)];
    expect(summaryLines(alone, summarize(alone))).toEqual([]);
  });
});

describe("the benchmark's table", () => {
  it("has a column for each figure", () => {
    const head = tableHead();
    const line = tableRow(row("name", "forward", beside(3)));
    expect(line).toHaveLength(head.length);
    expect(line.split(/ {2,}/)).toEqual(["name", "[2, 4]", "2.00", "–", "1.50", "26 % m", "6.00", "3.00"]);
  });

  it("points out results that are not the same", () => {
    expect(tableRow(row("name", "forward", beside(3, 0.1)))).toMatch(/results differ$/);
    expect(tableRow(row("name", "forward", beside(3, 1e-6)))).not.toMatch(/differ/);
  });

  it("writes three figures at least", () => {
    expect([0.012345, 12.345, 1234.5].map(figure)).toEqual(["0.0123", "12.3", "1,235"]);
  });
});

it("takes for the ceiling what the work meets first", () => {
  const ceilings = { gflopPerSecond: 10, gbPerSecond: 5 };
  expect(idealTime({ flops: 4e9, bytes: 1e9 }, ceilings)).toEqual({ ms: 400, bound: "arithmetic" });
  expect(idealTime({ flops: 1e9, bytes: 1e9 }, ceilings)).toEqual({ ms: 200, bound: "memory" });
  expect(idealTime({ flops: null, bytes: 1e9 }, ceilings)).toEqual({ ms: 200, bound: "memory" });
});

it("measures differences by the largest value, of the worst result", () => {
  const different = [Float32Array.of(1, 2), Float32Array.of(0, 10)];
  expect(largestDifference(different, different)).toBe(0);
  expect(largestDifference(different, [Float32Array.of(1, 2), Float32Array.of(2, 8)])).toBe(0.25);
  expect(largestDifference([Float32Array.of(NaN)], [Float32Array.of(1)])).toBe(Infinity);
});
