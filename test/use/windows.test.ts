import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gaussianWeights, windowStarts } from "../../src/use/windows.ts";

describe("windowStarts", () => {
  it("covers an axis from end to end, each window overlapping the next by as much as asked for", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 600 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (extent, length, overlap) => {
          const starts = windowStarts(extent, length, overlap);
          expect(starts[0]).toBe(0);
          expect(starts.at(-1)).toBe(Math.max(0, extent - length));
          for (const [i, start] of starts.slice(1).entries()) {
            expect(start).toBeGreaterThan(starts[i]);
            // A pixel more where they are spread evenly over whole pixels.
            expect(start - starts[i]).toBeLessThanOrEqual(Math.max(1, length * (1 - overlap)) + 1);
            expect(start).toBeLessThanOrEqual(starts[i] + length);
          }
        },
      ),
    );
  });

  it("takes no more windows than it needs", () => {
    expect(windowStarts(100, 100, 0.5)).toEqual([0]);
    expect(windowStarts(101, 100, 0.5)).toEqual([0, 1]);
    expect(windowStarts(300, 100, 0)).toEqual([0, 100, 200]);
    expect(windowStarts(250, 100, 0.25)).toEqual([0, 75, 150]);
    expect(windowStarts(7, 32, 0.25)).toEqual([0]);
  });
});

describe("gaussianWeights", () => {
  it("is a Gaussian of an eighth of the length about the centre", () => {
    // scipy.ndimage.gaussian_filter of a one in the middle of nothing, over its maximum, as nnU-Net makes it.
    const weights = gaussianWeights(65);
    expect(weights[32]).toBe(1);
    expect(weights[32 - 8]).toBeCloseTo(Math.exp(-0.5 * (8 / 8.125) ** 2), 6);
    expect([...weights].reverse()).toEqual([...weights]);
    expect(Math.min(...weights)).toBeGreaterThan(0);
  });
});
