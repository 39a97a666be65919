import { describe, expect, test } from "vitest";
import { bfloat16ToFloat32, float16ToFloat32 } from "../src/half-floats.ts";

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

  test("bfloat16 is the upper half of a float32", () => {
    expect([...bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001))]).toEqual([
      1,
      -2,
      Infinity,
      2 ** -133,
    ]);
  });
});
