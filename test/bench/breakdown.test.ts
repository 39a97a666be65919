import { describe, expect, it } from "vitest";
import { byKernel } from "../../bench/step/breakdown.ts";

describe("the breakdown by kernel", () => {
  it("sums dispatches of one label over a step, takes the mean of the steps and sorts by time", () => {
    const step = (...times: [string, number][]): { label: string; nanoseconds: number }[] =>
      times.map(([label, ms]) => ({ label, nanoseconds: 1e6 * ms }));
    const kernels = byKernel([step(["a", 1], ["b", 6], ["a", 1]), step(["a", 3], ["b", 6], ["a", 3])]);
    expect(kernels).toEqual([
      { label: "b", dispatches: 1, ms: 6, share: 0.6 },
      { label: "a", dispatches: 2, ms: 4, share: 0.4 },
    ]);
  });

  it("has no share of no time", () => {
    expect(byKernel([[{ label: "a", nanoseconds: 0 }]])).toEqual([
      { label: "a", dispatches: 1, ms: 0, share: 0 },
    ]);
  });
});
