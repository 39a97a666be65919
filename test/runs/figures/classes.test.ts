import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { classesFigure, classesSvg } from "../../../src/runs/figures/classes.ts";
import type { ClassesFigureOptions } from "../../../src/runs/figures/classes.ts";
import { rawPixels } from "./raw-pixels.ts";
import { elements, numbers, texts } from "./svg-elements.ts";

/** `b` is only predicted, `d` is nowhere. */
const options: ClassesFigureOptions = {
  iou: [0.5, 0, 0.9, null, 0.1],
  truthPixels: [9, 0, 990, 0, 1],
  classNames: ["a", "b", "c", "d", "e"],
  meanIou: 0.5,
  meanDice: 0.625,
  accuracy: 0.95,
};
const widths = (svg: string): number[] => elements(svg, "bar", "rect").map((bar) => numbers(bar, "width")[0]);

describe("classesFigure", () => {
  it("draws bars as long as the IoUs, the best first", () => {
    const lengths = widths(classesSvg(options));
    expect(lengths).toHaveLength(4);
    const whole = lengths[0] / 0.9;
    [0.9, 0.5, 0.1, 0].forEach((iou, i) => expect(lengths[i]).toBeCloseTo(iou * whole, 6));
    const tops = elements(classesSvg(options), "bar", "rect").map((bar) => numbers(bar, "y")[0]);
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    const written = texts(classesSvg(options));
    expect(written.filter((text) => /^[abcde]$/.test(text)).join("")).toBe("caeb");
  });

  it("puts a dot at the logarithm of each share, and writes it", () => {
    const svg = classesSvg(options);
    const [c, a, e, ...others] = elements(svg, "dot", "circle").map((dot) => numbers(dot, "cx")[0]);
    expect(others).toEqual([]);
    // 99 %, 0.9 %, 0.1 %
    expect((c - a) / (a - e)).toBeCloseTo(Math.log(990 / 9) / Math.log(9), 6);
    expect(texts(svg)).toEqual(expect.arrayContaining(["99.0%", "0.90%", "0.10%", "none"]));
  });

  it("marks the mean and names what is absent", () => {
    const svg = classesSvg(options);
    const [bar] = elements(svg, "bar", "rect");
    const [x, width] = numbers(bar, "x", "width");
    const mean = elements(svg, "rule", "line").find((line) => line.getAttribute("x1") !== String(x));
    const mark = mean ? numbers(mean, "x1")[0] : Number.NaN;
    expect(mark).toBeCloseTo(x + (0.5 / 0.9) * width, 6);
    const written = texts(svg).join("\n");
    expect(written).toContain(
      "mean IoU 0.500, mean Dice 0.625 over the 3 classes in the truth · pixel accuracy 0.950",
    );
    expect(written).toContain("mean 0.500");
    expect(written).toContain("Neither in the truth nor predicted (1): d.");
    expect(written).toContain("none: predicted somewhere, but not in the truth; not part of the mean.");
  });

  it("has the bar's colour where the bar is, and not beyond", async () => {
    const svg = classesSvg(options);
    const [left, top] = /translate\(([\d.]+),([\d.]+)\)/.exec(svg)!.slice(1).map(Number);
    const [bar] = elements(svg, "bar", "rect");
    const [x, y, width, height] = numbers(bar, "x", "y", "width", "height");
    const pixel = await rawPixels(await classesFigure(options));
    const middle = Math.round(2 * (top + y + height / 2));
    expect(pixel(Math.round(2 * (left + x + width - 3)), middle)).toBe("#2f6fde");
    expect(pixel(Math.round(2 * (left + x + width + 2)), middle)).toBe("#ffffff");
  });

  it.each([1, 59])("is as wide as a page's column with %i classes", async (count) => {
    const ids = Array.from({ length: count }, (_, i) => i);
    const png = await classesFigure({
      iou: ids.map((i) => (i + 1) / count),
      truthPixels: ids.map((i) => 3 ** (i % 15)),
      classNames: ids.map((i) => `class-${i}`),
      meanIou: 0.5,
      meanDice: 0.625,
      accuracy: 0.9,
    });
    const { format, width, height } = await sharp(png).metadata();
    expect([format, width]).toEqual(["png", 1660]);
    // A line of 18 units for each class.
    expect(height).toBeGreaterThan(2 * 18 * count);
  });

  it("says so where nothing was counted", async () => {
    const nothing = {
      iou: [null, null],
      truthPixels: [0, 0],
      classNames: ["a", "b"],
      meanIou: Number.NaN,
      meanDice: Number.NaN,
      accuracy: Number.NaN,
    };
    expect(texts(classesSvg(nothing))).toEqual([
      "IoU of each class",
      "No pixels were counted.",
      "Neither in the truth nor predicted (2): a, b.",
    ]);
    expect((await sharp(await classesFigure(nothing)).metadata()).format).toBe("png");
  });

  it("writes any name as text", async () => {
    const classNames = ['<a & "b">', "b", "c", "</svg>", "e"];
    const named = { ...options, classNames, title: "<b>" };
    expect(texts(classesSvg(named))).toEqual(
      expect.arrayContaining(["<b>", '<a & "b">', "Neither in the truth nor predicted (1): </svg>."]),
    );
    await classesFigure(named);
  });

  it("draws no NaN, whatever the numbers", () => {
    const iou = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(null, Number.NaN));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(iou, fc.nat(1e9)), { maxLength: 6 }),
        fc.oneof(fc.double({ min: 0, max: 1 }), fc.constant(Number.NaN)),
        (classes, meanIou) => {
          const svg = classesSvg({
            iou: classes.map(([value]) => value),
            truthPixels: classes.map(([, pixels]) => pixels),
            classNames: classes.map((_, i) => `class-${i}`),
            meanIou,
            meanDice: meanIou,
            accuracy: meanIou,
          });
          expect(svg.replaceAll(/(IoU|Dice|accuracy) undefined/g, "")).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("refuses lists of different lengths", () => {
    expect(() => classesSvg({ ...options, iou: [1] })).toThrow(
      "5 classes need as many IoUs and numbers of pixels, not 1 and 5.",
    );
  });
});
