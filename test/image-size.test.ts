import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSize, printSize, sameSize, sizeText, toSize } from "../src/image-size.ts";

it("reads what it prints: a square's side, or height by width", () => {
  const side = fc.integer({ min: 1, max: 1e5 });
  fc.assert(
    fc.property(side, side, (height, width) => {
      const size = { height, width };
      expect(parseSize(printSize(size))).toEqual(size);
      expect(parseSize(String(printSize(size)))).toEqual(size);
      expect(parseSize(sizeText(size))).toEqual(size);
    }),
  );
  expect([printSize({ height: 96, width: 96 }), printSize({ height: 96, width: 64 })]).toEqual([96, "96x64"]);
});

it("reads nothing else", () => {
  for (const text of ["", "x", "96x", "x96", "96x64x3", "-96", "9.5", "96 64", "1e3", NaN, 1.5])
    expect(parseSize(text), String(text)).toBeNull();
});

it("takes a number for a square", () => {
  expect(toSize(32)).toEqual({ height: 32, width: 32 });
  expect(sizeText(32)).toBe("32×32");
  expect(sameSize(toSize(32), { width: 32, height: 32 })).toBe(true);
  expect(sameSize(toSize(32), { width: 32, height: 64 })).toBe(false);
});
