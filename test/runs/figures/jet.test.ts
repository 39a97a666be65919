import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jet, jetHex, jetMask } from "../../../src/runs/figures/jet.ts";

/** Three hexadecimal bytes for each of the classes 0 to 58, as matplotlib 3.11's imshow(vmin=0, vmax=58) shows them. */
const IMSHOW = [
  ...["00007f", "000091", "0000a3", "0000ba", "0000cc", "0000e3", "0000f5", "0000ff", "000cff", "001cff"],
  ...["0030ff", "0040ff", "0050ff", "0064ff", "0074ff", "0088ff", "0098ff", "00acff", "00bcff", "00ccff"],
  ...["00e0fa", "08f0ed", "18ffdd", "25ffd0", "32ffc3", "42ffb3", "4fffa6", "5fff96", "6cff89", "7cff79"],
  ...["89ff6c", "96ff5f", "a6ff4f", "b3ff42", "c3ff32", "d0ff25", "ddff18", "edff08", "faf000", "ffde00"],
  ...["ffcf00", "ffc000", "ffae00", "ff9f00", "ff8c00", "ff7e00", "ff6b00", "ff5c00", "ff4d00", "ff3b00"],
  ...["ff2c00", "ff1a00", "f50b00", "e30000", "cc0000", "ba0000", "a30000", "910000", "7f0000"],
];

const hex = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString("hex");

describe("jet", () => {
  it("is matplotlib's, to the byte", () => {
    // matplotlib.colormaps["jet"](entry, bytes=True) of every 17th of the 256 entries.
    const known =
      "00007f0000cc0008ff004cff0090ff00d4ff29ffcd5fff9696ff5fcdff29ffe500ffa600ff6700ff2800cc00007f0000";
    expect(hex(Array.from({ length: 16 }, (_, i) => jet((17 * i + 0.5) / 256)).flat())).toBe(known);
  });

  it("clips what lies outside", () => {
    expect(jet(-1)).toEqual(jet(0));
    expect(jet(2)).toEqual(jet(1));
  });

  it("spans the classes as imshow does", () => {
    expect(IMSHOW.map((_, label) => jetHex(label, 59))).toEqual(IMSHOW.map((colour) => `#${colour}`));
    const all = Uint8Array.from(IMSHOW.keys());
    expect(hex(jetMask(all, 59))).toBe(IMSHOW.join(""));
  });

  it("gives the first and the last class its ends, and one class the first", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 256 }), (classes) => {
        expect([jetHex(0, classes), jetHex(classes - 1, classes)]).toEqual(["#00007f", "#7f0000"]);
      }),
    );
    expect(jetHex(0, 1)).toBe("#00007f");
  });
});
