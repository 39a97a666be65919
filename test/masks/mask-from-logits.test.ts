import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resizeBilinear } from "../../src/data/resize.ts";
import { maskFromLogits } from "../../src/masks/mask-from-logits.ts";

const logitsOf = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233) * 5);

/** The logits of each pixel, resized as a photo is. */
function resized(logits: Float32Array, side: number, classes: number, to: { width: number; height: number }) {
  const values = resizeBilinear(logits, { width: side, height: side }, classes, to);
  return (pixel: number): number[] => [...values.subarray(pixel * classes, (pixel + 1) * classes)];
}

describe("maskFromLogits", () => {
  it("is the argmax of the logits resized bilinearly, up, down and sideways", () => {
    const extent = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 7 }),
        extent,
        extent,
        fc.nat(1000),
        (side, classes, width, height, seed) => {
          const logits = logitsOf(side * side * classes, seed);
          const mask = maskFromLogits(logits, { width: side, height: side }, classes, { width, height });
          const at = resized(logits, side, classes, { width, height });
          expect(mask).toHaveLength(width * height);
          mask.forEach((label, pixel) => {
            // Equal but for rounding where two classes are level.
            expect(at(pixel)[label]).toBeGreaterThanOrEqual(Math.max(...at(pixel)) - 1e-4);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is the plain argmax at the network's size, the lowest of equal classes", () => {
    const [side, classes] = [8, 5];
    const logits = logitsOf(side * side * classes, 1).map(Math.round);
    const size = { width: side, height: side };
    const plain = Array.from({ length: side * side }, (_, pixel) => {
      const values = [...logits.subarray(pixel * classes, (pixel + 1) * classes)];
      return values.indexOf(Math.max(...values));
    });
    expect([...maskFromLogits(logits, size, classes, size)]).toEqual(plain);
  });

  it("lets a class lead between two pixels that both belong to others", () => {
    const logits = Float32Array.of(4, 0, 3, 0, 4, 3);
    const mask = maskFromLogits(Float32Array.of(...logits, ...logits), { width: 2, height: 2 }, 3, {
      width: 8,
      height: 1,
    });
    expect([...mask]).toEqual([0, 0, 0, 2, 2, 1, 1, 1]);
  });
});
