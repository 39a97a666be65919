import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHalf } from "../../src/graph/half.ts";

describe("decodeHalf", () => {
  it.each([
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ])("%i is %d", (half, value) => {
    expect(decodeHalf(Uint16Array.of(half))).toEqual(Float32Array.of(value));
  });

  it("keeps the order of the positive numbers, and their negatives mirror them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7bfe }), (half) => {
        const [low, high, negative] = decodeHalf(Uint16Array.of(half, half + 1, half | 0x8000));
        return low < high && negative === -low;
      }),
    );
  });
});
