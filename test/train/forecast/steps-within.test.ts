import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secondsOf, stepsWithin } from "../../../src/train/forecast/steps-within.ts";
import type { RunCost } from "../../../src/train/forecast/steps-within.ts";

const seconds = fc.double({ min: 0, max: 100, noNaN: true });
const cost: fc.Arbitrary<RunCost> = fc.record({
  fixed: seconds,
  phases: fc.array(
    fc.record({
      epochs: fc.integer({ min: 1, max: 50 }),
      step: fc.double({ min: 1e-3, max: 100, noNaN: true }),
      encoding: fc.record({
        seconds,
        steps: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 1000 })),
      }),
      epochEnd: seconds,
    }),
    { minLength: 1, maxLength: 2 },
  ),
});

describe("stepsWithin", () => {
  it("is the most steps that fit, and at least one", () => {
    fc.assert(
      fc.property(cost, fc.double({ min: 0.1, max: 1e5, noNaN: true }), (cost, budget) => {
        const steps = stepsWithin(budget, cost);
        expect(Number.isInteger(steps) && steps >= 1).toBe(true);
        if (steps > 1) expect(secondsOf(cost, steps)).toBeLessThanOrEqual(budget);
        expect(secondsOf(cost, steps + 1)).toBeGreaterThan(budget);
      }),
    );
  });

  it("counts both phases, what ends each epoch, and encoding as long as photos are new", () => {
    const none = { seconds: 0, steps: 0 };
    const phases = [
      { epochs: 6, step: 0.5, encoding: { seconds: 2, steps: 12 }, epochEnd: 3 },
      { epochs: 4, step: 1, encoding: none, epochEnd: 3 },
    ];
    // 20 + 60·0.5 + 12·2 + 6·3 + 40·1 + 4·3
    expect(secondsOf({ fixed: 20, phases }, 10)).toBe(144);
    expect([143, 144, 150, 151].map((budget) => stepsWithin(budget, { fixed: 20, phases }))).toEqual([
      9, 10, 10, 11,
    ]);
    // One new photo a step in all of them.
    expect(secondsOf({ fixed: 20, phases }, 1)).toBe(20 + 3 + 12 + 18 + 4 + 12);
  });
});
