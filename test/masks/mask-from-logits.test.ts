import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resizeBilinear } from "../../src/data/resize.ts";
import type { Size } from "../../src/data/resize.ts";
import { maskFromLogits } from "../../src/masks/mask-from-logits.ts";

const logitsOf = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233) * 5);

/** The logits of each pixel, resized as a photo is. */
function resized(logits: Float32Array, side: number, classes: number, to: { width: number; height: number }) {
  const values = resizeBilinear(logits, { width: side, height: side }, classes, to);
  return (pixel: number): number[] => [...values.subarray(pixel * classes, (pixel + 1) * classes)];
}

/** The argmax of the logits that are resized in double precision, along the columns first. */
function compared(logits: Float32Array, from: Size, classes: number, to: Size): Uint8Array {
  const tap = (i: number, extent: number, length: number): [number, number, number] => {
    const position = Math.min(Math.max(((i + 0.5) * extent) / length - 0.5, 0), extent - 1);
    return [Math.floor(position), Math.ceil(position), position - Math.floor(position)];
  };
  const between = (a: number, b: number, weight: number): number => a + (b - a) * weight;
  return Uint8Array.from({ length: to.width * to.height }, (_, pixel) => {
    const [upper, lower, down] = tap(Math.floor(pixel / to.width), from.height, to.height);
    const [left, right, across] = tap(pixel % to.width, from.width, to.width);
    const at = (x: number, c: number): number =>
      between(
        logits[(upper * from.width + x) * classes + c],
        logits[(lower * from.width + x) * classes + c],
        down,
      );
    const values = Array.from({ length: classes }, (_, c) => between(at(left, c), at(right, c), across));
    return values.indexOf(Math.max(...values));
  });
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

  it("is to the pixel what comparing all classes in double precision gives, where classes are level too", () => {
    const extent = fc.integer({ min: 1, max: 30 });
    const side = fc.integer({ min: 1, max: 6 });
    // Few values, so that many are equal, and some that differ by as little as can be.
    const value = fc.constantFrom(0, 1, 2, Math.fround(2 + 2 ** -22), -3, 1e30, -1e30, 1e-30);
    fc.assert(
      fc.property(
        ...([side, side, fc.integer({ min: 1, max: 5 }), extent, extent] as const),
        fc.infiniteStream(value),
        (fromHeight, fromWidth, classes, width, height, values) => {
          const from = { width: fromWidth, height: fromHeight };
          const logits = Float32Array.from(values.take(fromWidth * fromHeight * classes));
          const mask = maskFromLogits(logits, from, classes, { width, height });
          expect(mask).toEqual(compared(logits, from, classes, { width, height }));
        },
      ),
      { numRuns: 300 },
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
