import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { IGNORE } from "../../../src/data/dataset.ts";
import { PALETTE } from "../../../src/masks/palette.ts";
import { HATCH } from "../../../src/runs/figures/not-counted.ts";
import {
  classesByFrequency,
  pixelAccuracy,
  predictionsFigure,
} from "../../../src/runs/figures/predictions.ts";
import { rawPixels } from "./raw-pixels.ts";

const size = 32;
const sample = (name: string, label: number) => ({
  ...{ name, width: size, height: size },
  image: new Float32Array(size * size * 3).fill(0.5),
  truth: new Uint8Array(size * size).map((_, pixel) => (pixel % 2 ? label : 0)),
  prediction: new Uint8Array(size * size).fill(label),
});
const classNames = Array.from({ length: 59 }, (_, label) => `class ${label}`);

/** Where the first cell lies, in pixels of the PNG, and how far the cells are apart: see mosaic.ts. */
const corner = { x: 2 * 46, y: 2 * 76 };
const GAP = 2 * 10;

describe("predictionsFigure", () => {
  it("shows photo, truth and prediction of each sample", async () => {
    const samples = [
      sample("a", 41),
      sample(`<b> & "c" \u0007`, 30),
      sample("雪".repeat(50), 2),
      sample("d", 58),
    ];
    const png = await predictionsFigure({ samples, classNames, title: "A <title> & more" });
    const pixel = await rawPixels(png);
    const side = 2 * Math.floor((830 - 46 - 20 - 3 * 10) / 4);
    const column = (index: number): number => corner.x + index * (side + GAP) + side / 2;
    const row = (index: number): number => corner.y + index * (side + GAP) + side / 2;
    for (const [index, label] of [41, 30, 2, 58].entries()) {
      expect(pixel(column(index), row(0))).toBe("#808080");
      expect(pixel(column(index), row(2))).toBe(PALETTE[label]);
    }
    const truth = new Set(Array.from({ length: side }, (_, x) => pixel(corner.x + x, row(1))));
    expect(truth).toEqual(new Set([PALETTE[0], PALETTE[41]]));
  });

  it.each([
    [32, 32],
    [64, 64],
    [160, 160],
    [224, 224],
    [32, 64],
  ])("colours every pixel of a mask of %i × %i exactly", async (height, width) => {
    const truth = new Uint8Array(height * width).map((_, pixel) => (pixel * 7) % 59);
    const image = new Float32Array(3 * height * width);
    const samples = [{ name: "a", height, width, image, truth, prediction: truth }];
    const pixel = await rawPixels(await predictionsFigure({ samples, classNames }));
    const across = 2 * 240;
    const down = (across * height) / width;
    const wrong = [...truth.entries()].filter(([i, label]) => {
      const x = corner.x + Math.floor((((i % width) + 0.5) * across) / width);
      const y = corner.y + down + GAP + Math.floor(((Math.floor(i / width) + 0.5) * down) / height);
      return pixel(x, y) !== PALETTE[label];
    });
    expect(wrong).toEqual([]);
  });

  it("hatches what does not count in the truth, with an entry of its own, and no class has that", async () => {
    const truth = new Uint8Array(size * size).fill(IGNORE);
    const prediction = new Uint8Array(size * size).fill(3);
    const samples = [{ ...sample("a", 3), truth, prediction }];
    const side = 2 * 240;
    const colours = async (names: readonly string[]): Promise<Set<string>[]> => {
      const pixel = await rawPixels(await predictionsFigure({ samples, classNames: names }));
      const row = (y: number) => new Set(Array.from({ length: side }, (_, x) => pixel(corner.x + x, y)));
      const cell = (index: number): number => corner.y + index * (side + GAP) + side / 2;
      return [row(cell(1)), row(cell(2))];
    };
    const hatch = new Set<string>([HATCH.ground, HATCH.lines]);
    expect(await colours(classNames)).toEqual([hatch, new Set([PALETTE[3]])]);
    // Of 256 classes the last one is class 255.
    const all = Array.from({ length: 256 }, (_, label) => `class ${label}`);
    expect(await colours(all)).toEqual([new Set([PALETTE[255]]), new Set([PALETTE[3]])]);
  });

  it("draws a single sample, and classes without a name", async () => {
    const png = await predictionsFigure({
      samples: [sample("a", 58)],
      classNames: ["null"],
    });
    expect((await sharp(png).metadata()).width).toBe(2 * 520);
  });
});

it("counts equal pixels of those that count", () => {
  const truth = Uint8Array.of(0, 1, IGNORE, IGNORE);
  expect(pixelAccuracy(truth, Uint8Array.of(0, 0, 0, IGNORE), 4)).toBe(0.5);
  expect(pixelAccuracy(truth, Uint8Array.of(0, 0, 0, IGNORE), 256)).toBe(0.5);
  expect(pixelAccuracy(truth.subarray(2), Uint8Array.of(0, 1), 4)).toBeNaN();
  expect(pixelAccuracy(Uint8Array.of(0, 1, 2, 3), Uint8Array.of(0, 1, 1, 1), 4)).toBe(0.5);
});

it("orders classes by how often they occur", () => {
  expect(classesByFrequency([Uint8Array.of(0, 0, 5), Uint8Array.of(5, 5, 3), Uint8Array.of(2)], 59)).toEqual([
    5, 0, 2, 3,
  ]);
  const ignoring = [Uint8Array.of(IGNORE, IGNORE, 1)];
  expect(classesByFrequency(ignoring, 255)).toEqual([1]);
  expect(classesByFrequency(ignoring, 256)).toEqual([IGNORE, 1]);
});
