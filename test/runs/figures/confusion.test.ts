import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { confusionFigure, confusionSvg, shareColour } from "../../../src/runs/figures/confusion.ts";
import { rawPixels } from "./raw-pixels.ts";
import { elements, numbers, texts } from "./svg-elements.ts";

const CLASSES = 59;
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `class-${i}`);

/** Fills of the cells, row by row. */
const fills = (svg: string, side: number): (string | null)[][] => {
  const all = elements(svg, "cell", "rect").map((cell) => cell.getAttribute("fill"));
  return Array.from({ length: all.length / side }, (_, row) => all.slice(row * side, (row + 1) * side));
};

const hex = (rgb: string): string =>
  `#${rgb
    .match(/\d+/g)!
    .map((channel) => Number(channel).toString(16).padStart(2, "0"))
    .join("")}`;

describe("confusionFigure", () => {
  it("colours each cell by its share of the row", () => {
    const svg = confusionSvg({ counts: [30, 10, 2, 8], classNames: ["a", "b"] });
    expect(fills(svg, 2)).toEqual([
      [shareColour(0.75), shareColour(0.25)],
      [shareColour(0.2), shareColour(0.8)],
    ]);
    expect(texts(svg)).toEqual(expect.arrayContaining(["75%", "25%", "20%", "80%"]));
  });

  it("takes the least frequent of many classes together, so that every name can be read", () => {
    const classes = 256;
    const counts = new Float64Array(classes * classes);
    // Class c has 1000 − c true pixels, of which 10 are taken for the next one, and of the last for the first.
    for (let c = 0; c < classes; c++) {
      counts[c * classes + c] = 990 - c;
      counts[c * classes + ((c + 1) % classes)] = 10;
    }
    const svg = confusionSvg({ counts, classNames: names(classes) });
    const rows = fills(svg, 60);
    expect(rows).toHaveLength(60);
    expect(rows[58].slice(57)).toEqual([0, (990 - 58) / (1000 - 58), 10 / (1000 - 58)].map(shareColour));
    const gathered = Array.from({ length: 197 }, (_, i) => 1000 - 59 - i).reduce((a, b) => a + b);
    expect(rows[59][0]).toBe(shareColour(10 / gathered));
    expect(rows[59][59]).toBe(shareColour((gathered - 10) / gathered));
    const written = texts(svg);
    expect(written.filter((text) => text === "197 others")).toHaveLength(2);
    expect(written.join(" ")).toContain("the 197 classes with the fewest");
    expect(written.join(" ")).not.toContain("Left out");
    const [first] = elements(svg, "cell", "rect");
    expect(numbers(first, "height")[0]).toBeGreaterThan(9);
  });

  it("puts rows at the top and columns at the left in the order of their true pixels", () => {
    // True pixels: 1, 0, 20, 4; class 1 is only predicted.
    const counts = [
      [1, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 5, 15, 0],
      [0, 0, 1, 3],
    ].flat();
    const svg = confusionSvg({ counts, classNames: ["a", "b", "c", "d"] });
    expect(
      texts(svg)
        .filter((text) => /^[abcd]$/.test(text))
        .join(""),
    ).toMatch(/^(cdab){2}$/);
    // c, d and a; b has no true pixels and so no cells.
    expect(fills(svg, 4)).toEqual(
      [
        [0.75, 0, 0, 0.25],
        [0.25, 0.75, 0, 0],
        [0, 0, 1, 0],
      ].map((row) => row.map(shareColour)),
    );
    expect(texts(svg).join(" ")).toContain("Grey rows: predicted, but not in the truth.");
    const [first] = elements(svg, "cell", "rect");
    const all = elements(svg, "cell", "rect");
    expect(Math.min(...all.map((cell) => numbers(cell, "x")[0]))).toBe(numbers(first, "x")[0]);
    expect(Math.min(...all.map((cell) => numbers(cell, "y")[0]))).toBe(numbers(first, "y")[0]);
  });

  it("leaves out classes that do not occur and says how many", () => {
    const counts = new Float64Array(CLASSES * CLASSES);
    counts[7 * CLASSES + 7] = 3;
    counts[7 * CLASSES + 9] = 1;
    const svg = confusionSvg({ counts, classNames: names(CLASSES) });
    expect(texts(svg).filter((text) => text.startsWith("class-"))).toEqual([
      "class-7",
      "class-9",
      "class-7",
      "class-9",
    ]);
    expect(texts(svg).join(" ")).toContain("Left out: 57 classes neither in the truth nor predicted.");
  });

  it("has the colours at their places in the PNG", async () => {
    const options = { counts: [3, 1, 0, 0, 9, 0, 1, 0, 1], classNames: ["a", "b", "c"] };
    const svg = confusionSvg(options);
    const [left, top] = /translate\(([\d.]+),([\d.]+)\)/.exec(svg)!.slice(1).map(Number);
    const pixel = await rawPixels(await confusionFigure(options));
    for (const cell of elements(svg, "cell", "rect")) {
      const [x, y] = numbers(cell, "x", "y");
      // Not in the middle, where the number stands.
      expect(pixel(Math.round(2 * (left + x + 5)), Math.round(2 * (top + y + 5)))).toBe(
        cell.getAttribute("fill") === "#ffffff" ? "#ffffff" : hex(cell.getAttribute("fill")!),
      );
    }
    expect(elements(svg, "cell", "rect")).toHaveLength(9);
  });

  it("shows one pixel in a hundred", () => {
    const channels = (share: number): number[] => shareColour(share).match(/\d+/g)!.map(Number);
    expect(shareColour(0)).toBe("#ffffff");
    expect(shareColour(Number.NaN)).toBe("#ffffff");
    const [none, one] = [channels(1e-9), channels(0.01)];
    expect(none.reduce((sum, value, i) => sum + Math.abs(value - one[i]), 0)).toBeGreaterThan(20);
    // Ever darker.
    const sums = [0.001, 0.01, 0.1, 0.3, 1].map((share) => channels(share).reduce((a, b) => a + b));
    expect(sums).toEqual([...sums].sort((a, b) => b - a));
  });

  it.each([1, 2, 12, 59])("fits %i classes into a column of a page", async (count) => {
    const counts = Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 90 : i % 7));
    const classNames = names(count);
    const svg = confusionSvg({ counts, classNames });
    expect(elements(svg, "cell", "rect")).toHaveLength(count * count);
    const { format, width } = await sharp(await confusionFigure({ counts, classNames })).metadata();
    expect(format).toBe("png");
    expect(width).toBeLessThanOrEqual(2 * 830);
    const cells = elements(svg, "cell", "rect").map((cell) => numbers(cell, "x", "width"));
    expect(Math.max(...cells.map(([x, side]) => x + side))).toBeLessThanOrEqual(width / 2);
  });

  it("says so where nothing was counted", async () => {
    const options = { counts: new Float64Array(CLASSES * CLASSES), classNames: names(CLASSES) };
    expect(texts(confusionSvg(options))).toEqual(["Confusion matrix", "No pixels were counted."]);
    expect((await sharp(await confusionFigure(options)).metadata()).format).toBe("png");
  });

  it("writes any name as text", async () => {
    const options = { counts: [1, 1, 0, 1], classNames: ['<a & "b">', "</svg>"], title: "<b>" };
    const written = texts(confusionSvg(options));
    expect(written).toEqual(expect.arrayContaining(['<a & "b">', "</svg>", "<b>"]));
    await confusionFigure(options);
  });

  it("draws no NaN, whatever was counted", () => {
    const count = fc.oneof(fc.nat(1e6), fc.constantFrom(0, 0, Number.NaN, Infinity, -1));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }).chain((n) => fc.array(count, { minLength: n * n, maxLength: n * n })),
        (counts) => {
          const svg = confusionSvg({ counts, classNames: names(Math.sqrt(counts.length)) });
          expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("refuses counts that are no square of the names", () => {
    expect(() => confusionSvg({ counts: [1, 2, 3], classNames: ["a", "b"] })).toThrow(
      "The confusion matrix of 2 classes has 4 counts, not 3.",
    );
  });
});
