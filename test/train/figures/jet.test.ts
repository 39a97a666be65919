import { describe, expect, it } from "vitest";
import { jet, jetHex, jetMask } from "../../../src/train/figures/jet.ts";

describe("jet", () => {
  it("is matplotlib's", () => {
    // matplotlib.colors.to_hex(matplotlib.colormaps["jet"](value))
    const known: [number, string][] = [
      [0, "#000080"],
      [0.125, "#0000ff"],
      [0.5, "#7dff7a"],
      [1, "#800000"],
    ];
    for (const [value, hex] of known)
      expect(
        `#${jet(value)
          .map((c) => c.toString(16).padStart(2, "0"))
          .join("")}`,
      ).toBe(hex);
  });

  it("clips what lies outside", () => {
    expect(jet(-1)).toEqual(jet(0));
    expect(jet(2)).toEqual(jet(1));
  });

  it("spans the classes", () => {
    expect([jetHex(0, 59), jetHex(58, 59), jetHex(0, 1)]).toEqual(["#000080", "#800000", "#000080"]);
    expect([...jetMask(Uint8Array.of(58, 0), 59)]).toEqual([128, 0, 0, 0, 0, 128]);
  });
});
