import { describe, expect, it } from "vitest";
import type { Dispatch } from "../../src/graph/dispatch.ts";
import { SUBMISSION_SECONDS, submissionsOf } from "../../src/graph/submissions.ts";
import { articleStep, planOn } from "../train/phase/plan-on.ts";
import { nvidia } from "../helpers/pretended-adapters.ts";

/** A product of so many GFLOP, or a kernel that binds so many GB. */
const product = (gflop: number): Dispatch =>
  ({ kernel: { flops: 1e9 * gflop }, bindings: [] }) as unknown as Dispatch;
const memory = (gigabytes: number): Dispatch =>
  ({ kernel: {}, bindings: [{ bytes: 1e9 * gigabytes }] }) as unknown as Dispatch;

describe("the submissions of a program", () => {
  it("are one where it is less than a slow GPU does in a second", () => {
    expect(submissionsOf([product(50), memory(9), product(4)])).toEqual([3]);
    expect(submissionsOf([])).toEqual([]);
  });

  it("end before what would take a slow GPU longer, by arithmetic or by memory", () => {
    expect(submissionsOf([product(60), product(30), product(30), product(60)])).toEqual([2, 2]);
    expect(submissionsOf([memory(12), memory(12), product(1)])).toEqual([1, 2]);
  });

  it("leave alone what takes longer by itself", () => {
    expect(submissionsOf([product(1), product(500), product(1)])).toEqual([1, 1, 1]);
  });

  it("end where they are cut, too", () => {
    const some = [product(30), product(30), product(30), product(60), product(1)];
    expect(submissionsOf(some)).toEqual([3, 2]);
    expect(submissionsOf(some, undefined, new Set([1]))).toEqual([1, 2, 2]);
    expect(submissionsOf(some, undefined, new Set([3, 5]))).toEqual([3, 2]);
  });

  it("of the article's step are few, and none much longer than its share", () => {
    const { dispatches } = planOn(nvidia, "finetune", articleStep);
    const counts = submissionsOf(dispatches);
    expect(counts.reduce((a, b) => a + b)).toBe(dispatches.length);
    expect(counts.length).toBeGreaterThan(5);
    expect(counts.length).toBeLessThan(20);
    // No dispatch is so long that a submission has to be longer than allowed.
    const longest = Math.max(...dispatches.map(({ kernel }) => kernel.flops ?? 0));
    expect(longest / 1e11).toBeLessThan(SUBMISSION_SECONDS);
  });
});
