import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { PALETTE } from "../../../src/train/figures/palette.ts";
import {
  cellPixels,
  classesByFrequency,
  pixelAccuracy,
  predictionsFigure,
} from "../../../src/train/figures/predictions.ts";
import { rawPixels } from "./raw-pixels.ts";

const size = 32;
const sample = (name: string, label: number) => ({
  name,
  image: new Float32Array(size * size * 3).fill(0.5),
  truth: new Uint8Array(size * size).map((_, pixel) => (pixel % 2 ? label : 0)),
  prediction: new Uint8Array(size * size).fill(label),
});
const classNames = PALETTE.map((_, label) => `class ${label}`);

describe("predictionsFigure", () => {
  it("shows photo, truth and prediction of each sample with hard edges", async () => {
    const samples = [
      sample("a", 41),
      sample(`<b> & "c" \u0007`, 30),
      sample("雪".repeat(50), 2),
      sample("d", 58),
    ];
    const png = await predictionsFigure({ imageSize: size, samples, classNames, title: "A <title> & more" });
    const pixel = await rawPixels(png);
    const { width, height } = await sharp(png).metadata();
    expect(width).toBeGreaterThan(4 * 384);
    expect(height).toBeGreaterThan(3 * 384);
    // The corner of the first column's cells, in pixels: see SCALE, CELL, GAP and the margins.
    const [left, top, step, block] = [162, 123, 399, 384 / size];
    expect(pixel(left + 100, top + 100)).toBe("#808080");
    for (const [x, colour] of [PALETTE[0], PALETTE[41], PALETTE[0], PALETTE[41]].entries()) {
      expect(pixel(left + x * block, top + step)).toBe(colour);
      expect(pixel(left + (x + 1) * block - 1, top + step + 383)).toBe(colour);
    }
    expect(pixel(left + 383, top + 2 * step + 383)).toBe(PALETTE[41]);
    expect(pixel(left + 3 * step, top + 2 * step)).toBe(PALETTE[58]);
  });

  it.each([64, 160, 224])("colours every pixel of a mask of %i exactly", async (imageSize) => {
    const truth = new Uint8Array(imageSize ** 2).map((_, pixel) => (pixel * 7) % 59);
    const image = new Float32Array(3 * imageSize ** 2);
    const samples = [{ name: "a", image, truth, prediction: truth }];
    const pixel = await rawPixels(await predictionsFigure({ imageSize, samples, classNames }));
    const side = cellPixels(imageSize);
    const centre = (i: number): number => Math.floor(((i + 0.5) * side) / imageSize);
    const wrong = [...truth.entries()].filter(([i, label]) => {
      const [x, y] = [162 + centre(i % imageSize), 123 + side + 15 + centre(Math.floor(i / imageSize))];
      return pixel(x, y) !== PALETTE[label];
    });
    expect(wrong).toEqual([]);
  });

  it("draws a single sample, and classes without a name", async () => {
    const png = await predictionsFigure({
      imageSize: size,
      samples: [sample("a", 58)],
      classNames: ["null"],
    });
    expect((await sharp(png).metadata()).width).toBeGreaterThan(384);
  });
});

it("makes cells whole multiples of photos, near 384 pixels", () => {
  expect([32, 64, 96, 128, 160, 224, 512, 1024].map(cellPixels)).toEqual([
    384, 384, 384, 384, 320, 448, 512, 384,
  ]);
});

it("counts equal pixels", () => {
  expect(pixelAccuracy(Uint8Array.of(0, 1, 2, 3), Uint8Array.of(0, 1, 1, 1))).toBe(0.5);
});

it("orders classes by how often they occur", () => {
  expect(classesByFrequency([Uint8Array.of(0, 0, 5), Uint8Array.of(5, 5, 3), Uint8Array.of(2)])).toEqual([
    5, 0, 2, 3,
  ]);
});
