import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classColour, paintMask, PALETTE } from "../../src/masks/palette.ts";

describe("palette", () => {
  it("has a colour of its own for each of 59 classes, and a dark one for background", () => {
    expect(new Set(PALETTE).size).toBe(59);
    for (const colour of PALETTE) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
    const brightness = (colour: string): number =>
      [1, 3, 5].reduce((sum, at) => sum + Number.parseInt(colour.slice(at, at + 2), 16), 0);
    expect(Math.min(...PALETTE.map(brightness))).toBe(brightness(classColour(0)));
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
