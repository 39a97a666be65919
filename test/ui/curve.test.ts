import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addToCurve, emptyCurve, MOST_POINTS } from "../../src/ui/curve.ts";

describe("addToCurve", () => {
  it("keeps every step of a short run", () => {
    const curve = emptyCurve();
    for (const globalStep of [1, 2, 3])
      addToCurve(curve, { globalStep, loss: 4 - globalStep, accuracy: globalStep / 4 });
    expect(curve).toMatchObject({
      stride: 1,
      steps: [1, 2, 3],
      loss: [3, 2, 1],
      accuracy: [0.25, 0.5, 0.75],
    });
  });

  it("keeps means of equally many steps of a long one, and never too many", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 * MOST_POINTS }), (steps) => {
        const curve = emptyCurve();
        for (let globalStep = 1; globalStep <= steps; globalStep++)
          addToCurve(curve, { globalStep, loss: globalStep, accuracy: 0 });
        expect(curve.steps.length).toBeLessThan(MOST_POINTS);
        expect(curve.steps.every((last, i) => last === (i + 1) * curve.stride)).toBe(true);
        const mean = (last: number): number => last - (curve.stride - 1) / 2;
        expect(curve.loss.every((loss, i) => Math.abs(loss - mean(curve.steps[i])) < 1e-6)).toBe(true);
        expect(curve.steps.length * curve.stride + curve.open.count).toBe(steps);
      }),
      { numRuns: 20 },
    );
  });
});
