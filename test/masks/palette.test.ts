import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classColour, paintMask, PALETTE } from "../../src/masks/palette.ts";

const rgbOf = (colour: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

/** Björn Ottosson, "A perceptual color space for image processing". */
function oklab(colour: string): number[] {
  const [r, g, b] = rgbOf(colour).map((value) =>
    value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

describe("palette", () => {
  it("has a colour of its own for each of 256 classes, and a dark one for background", () => {
    expect(new Set(PALETTE).size).toBe(256);
    for (const colour of PALETTE) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
    const brightness = (colour: string): number => rgbOf(colour).reduce((sum, value) => sum + value);
    expect(Math.min(...PALETTE.map(brightness))).toBe(brightness(classColour(0)));
  });

  it("keeps the colours of the clothing classes", () => {
    const digest = createHash("sha1").update(PALETTE.slice(0, 59).join());
    expect(digest.digest("hex")).toBe("ddd3caed67e56c4c4066b2a2ec546a8e1dd3f988");
  });

  // Two colours differ visibly side by side from about 0.02 on.
  it.each([
    [59, 0.079],
    [150, 0.056],
    [256, 0.044],
  ])("tells the colours of %i classes apart", (classes, least) => {
    const places = PALETTE.slice(0, classes).map(oklab);
    let nearest = Infinity;
    for (const [i, one] of places.entries()) {
      for (const other of places.slice(0, i))
        nearest = Math.min(nearest, Math.hypot(...one.map((value, axis) => value - other[axis])));
    }
    expect(nearest).toBeGreaterThan(least);
  });

  it("never gives another class the colour of background", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (label) => classColour(label) !== classColour(0)),
    );
  });

  it("paints a mask", () => {
    expect([...paintMask(Uint8Array.of(0, 41))]).toEqual([0x14, 0x17, 0x1c, 0xf2, 0xc7, 0xa5]);
  });
});
