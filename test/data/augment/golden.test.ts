import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { transformAffine } from "../../../src/data/augment/affine.ts";
import type { AffineParameters } from "../../../src/data/augment/affine.ts";
import type { Box } from "../../../src/data/augment/box.ts";
import { scaleBrightness, scaleContrast, scaleSaturation } from "../../../src/data/augment/color-jitter.ts";
import { adjustHue } from "../../../src/data/augment/colour.ts";
import { cutBox } from "../../../src/data/augment/cutmix.ts";
import { erase } from "../../../src/data/augment/cutout.ts";
import { displace, elasticDisplacement } from "../../../src/data/augment/elastic.ts";
import { gaussianBlur } from "../../../src/data/augment/gaussian-blur.ts";
import { addNoise } from "../../../src/data/augment/gaussian-noise.ts";
import { gridPositions } from "../../../src/data/augment/grid-distortion.ts";
import { throughJpeg } from "../../../src/data/augment/jpeg.ts";
import { resizedCrop } from "../../../src/data/augment/random-resized-crop.ts";

interface Made {
  readonly image: number[];
  readonly mask: number[];
}
type Factor = { readonly factor: number; readonly image: number[] };
interface Golden extends Made {
  readonly size: number;
  readonly affine: readonly (AffineParameters & Made)[];
  readonly crop: readonly (Box & Made)[];
  readonly elastic: readonly (Made & { alpha: number; sigma: number; noise: [number[], number[]] })[];
  readonly grid: readonly { size: number; steps: number[][]; lines: number[][] }[];
  readonly brightness: readonly Factor[];
  readonly contrast: readonly Factor[];
  readonly saturation: readonly Factor[];
  readonly hue: readonly Factor[];
  readonly blur: readonly { radius: number; sigma: number; image: number[] }[];
  readonly noise: readonly { sigma: number; noise: number[]; image: number[] }[];
  readonly erase: Box & { image: number[] };
  readonly jpeg: readonly { quality: number; size: number; bytes: number[]; read: number[] }[];
  readonly cut: readonly { size: number; share: number; column: number; row: number; box: Box }[];
}

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")) as Golden;
const { size } = golden;
const square = { height: size, width: size };
const sample = { ...square, image: Float32Array.from(golden.image), mask: Uint8Array.from(golden.mask) };

/** The largest difference; the file's numbers have five digits. */
function worst(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  expect(ours.length).toBe(theirs.length);
  return Array.from(ours).reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
}
const ROUNDING = 2e-5;

/** The root of the mean square of the differences. */
const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);

describe("what torchvision, albumentations and Pillow make of the same photo", () => {
  it.each(golden.affine)("affine $angle°, $translate, $scale, $shear", ({ image, mask, ...parameters }) => {
    const ours = transformAffine(sample, parameters);
    expect(worst(ours.image, image)).toBeLessThan(ROUNDING);
    expect([...ours.mask]).toEqual(mask);
  });

  it.each(golden.crop)("crop of $width × $height", ({ image, mask, ...box }) => {
    const ours = resizedCrop(sample, box);
    expect(worst(ours.image, image)).toBeLessThan(ROUNDING);
    expect([...ours.mask]).toEqual(mask);
  });

  it.each(golden.elastic)("elastic, alpha $alpha, sigma $sigma", ({ alpha, sigma, noise, image, mask }) => {
    const [dx, dy] = noise.map((axis) => elasticDisplacement(Float32Array.from(axis), square, alpha, sigma));
    const ours = displace(sample, dx, dy);
    expect(worst(ours.image, image)).toBeLessThan(ROUNDING);
    expect([...ours.mask]).toEqual(mask);
  });

  it.each(golden.grid)("grid of steps $steps: its lines", ({ size, steps, lines }) => {
    steps.forEach((axis, i) => {
      const positions = gridPositions(size, axis);
      const cell = size / axis.length;
      // A line is half a pixel of the result from the middles of its neighbours, in each cell's own scale.
      const within = (k: number): number => lines[i][k] - (lines[i][k - 1] ?? 0);
      lines[i].slice(0, -1).forEach((line, k) => {
        const [before, after] = [positions[(k + 1) * cell - 1], positions[(k + 1) * cell]];
        expect(before + within(k) / (2 * cell) + 0.5).toBeCloseTo(line, 4);
        expect(after - within(k + 1) / (2 * cell) + 0.5).toBeCloseTo(line, 4);
      });
      expect(lines[i].at(-1)).toBeCloseTo(size, 4);
    });
  });

  it.each([
    ["brightness", scaleBrightness, golden.brightness],
    ["contrast", scaleContrast, golden.contrast],
    ["saturation", scaleSaturation, golden.saturation],
    ["hue", adjustHue, golden.hue],
  ] as const)("%s", (_, change, cases) => {
    for (const { factor, image } of cases)
      expect(worst(change(sample.image, factor), image)).toBeLessThan(ROUNDING);
  });

  it.each(golden.blur)("blur of $radius pixels around, sigma $sigma", ({ radius, sigma, image }) => {
    expect(worst(gaussianBlur(sample.image, sample, sigma, radius), image)).toBeLessThan(ROUNDING);
  });

  it.each(golden.noise)("noise of $sigma", ({ sigma, noise, image }) => {
    expect(worst(addNoise(sample.image, Float32Array.from(noise), sigma), image)).toBeLessThan(ROUNDING);
  });

  it("an erased box", () => {
    const { image, ...box } = golden.erase;
    expect(worst(erase(sample, box), image)).toBeLessThan(ROUNDING);
  });

  it.each(golden.jpeg)("a JPEG of quality $quality", async ({ quality, size, bytes, read }) => {
    const ours = await throughJpeg(
      Float32Array.from(bytes, (value) => value / 255),
      { height: size, width: size },
      quality,
    );
    const levels = [...ours].map((value) => 255 * value);
    const loss = apart(read, bytes);
    expect(loss).toBeGreaterThan(1);
    // Other versions of libjpeg round in other places.
    expect(apart(levels, read)).toBeLessThan(0.1 * loss);
  });

  it.each(golden.cut)("CutMix's box of $share at ($column, $row)", ({ size, share, column, row, box }) => {
    expect(cutBox({ height: size, width: size }, share, column, row)).toEqual(box);
  });
});
