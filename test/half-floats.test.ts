import { describe, expect, test } from "vitest";
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from "../src/half-floats.ts";

describe("16-bit floats", () => {
  test("every finite float16 has the value of its definition, every other its kind", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const floats = float16ToFloat32(all);
    for (const bits of all) {
      const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
      const value =
        exponent === 31
          ? fraction === 0
            ? sign * Infinity
            : NaN
          : exponent === 0
            ? sign * fraction * 2 ** -24
            : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
      if (!Object.is(floats[bits], value)) throw new Error(`${bits} gives ${floats[bits]}, not ${value}`);
    }
  });

  test("every float16 comes back from its float32", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const back = float32ToFloat16(float16ToFloat32(all));
    for (const bits of all) {
      const isNaN = (bits & 0x7fff) > 0x7c00;
      if (isNaN ? (back[bits] & 0x7fff) <= 0x7c00 : back[bits] !== bits)
        throw new Error(`${bits} comes back as ${back[bits]}`);
    }
  });

  test("between two float16, the nearer is taken, and the even one of two that are as near", () => {
    const all = Uint16Array.from({ length: 0x7c00 }, (_, i) => i);
    // Above the largest the next would be 2^16.
    const values = [...float16ToFloat32(all), 65536];
    const [below, middle, above] = [-1, 0, 1].map((side) =>
      Float32Array.from(all, (i) => nextTo((values[i] + values[i + 1]) / 2, side)),
    );
    for (const sign of [1, -1]) {
      const signed = (numbers: Float32Array) => float32ToFloat16(numbers.map((number) => sign * number));
      const bit = sign < 0 ? 0x8000 : 0;
      expect(signed(below)).toEqual(all.map((i) => bit | i));
      expect(signed(above)).toEqual(all.map((i) => bit | (i + 1)));
      expect(signed(middle)).toEqual(all.map((i) => bit | (i % 2 === 0 ? i : i + 1)));
    }
  });

  test("what is too large becomes infinite, what is too small zero, and a factor comes first", () => {
    const numbers = Float32Array.of(65519.99, 65520, 3e38, -Infinity, NaN, 2 ** -25, 2 ** -149, -0);
    const halves = float32ToFloat16(numbers);
    expect([...float16ToFloat32(halves)]).toEqual([65504, Infinity, Infinity, -Infinity, NaN, 0, 0, -0]);
    const scaled = float32ToFloat16(Float32Array.of(2 ** -149, -(2 ** -140)), 2 ** 160);
    expect([...float16ToFloat32(scaled)]).toEqual([2 ** 11, -Infinity]);
    expect([...float16ToFloat32(float32ToFloat16(Float32Array.of(2 ** 127), 2 ** -113))]).toEqual([2 ** 14]);
  });

  test("bfloat16 is the upper half of a float32", () => {
    expect([...bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001))]).toEqual([
      1,
      -2,
      Infinity,
      2 ** -133,
    ]);
  });
});

/** The float32 next to a positive one, below or above; itself for 0. */
function nextTo(number: number, side: number): number {
  const words = new Uint32Array(Float32Array.of(number).buffer);
  words[0] += side;
  return new Float32Array(words.buffer)[0];
}
