import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  applySteps,
  AUGMENTATION_NAMES,
  AUGMENTATION_SETS,
  flipLeftRight,
  flipUpDown,
  isRandom,
  RANDOM_NAMES,
  randomly,
  traitsOf,
} from "../../../src/data/augment.ts";
import type { RandomName } from "../../../src/data/augment.ts";
import { transformAffine } from "../../../src/data/augment/affine.ts";
import { drawBox } from "../../../src/data/augment/box.ts";
import { drawClasses } from "../../../src/data/augment/classmix.ts";
import { cutBox } from "../../../src/data/augment/cutmix.ts";
import { drawDisplacements } from "../../../src/data/augment/elastic.ts";
import { gridPositions } from "../../../src/data/augment/grid-distortion.ts";
import { normals, uniforms } from "../../../src/data/augment/numbers.ts";
import { RANDOM_AUGMENTATIONS } from "../../../src/data/augment/registry.ts";
import { IGNORE } from "../../../src/data/dataset.ts";
import type { Sample } from "../../../src/data/dataset.ts";
import { Random } from "../../../src/data/random.ts";
import { toSize } from "../../../src/image-size.ts";
import type { ImageSize, Size } from "../../../src/image-size.ts";

/** Three classes, each pixel's drawn by itself, and a photo that shows them: class c is 1 in channel c. */
function coloured(size: Size, seed: number): Sample {
  const random = new Random(seed, size.height, size.width);
  const mask = Uint8Array.from({ length: size.height * size.width }, () => random.integer(0, 2));
  return {
    ...size,
    image: Float32Array.from({ length: 3 * mask.length }, (_, i) => Number(mask[(i / 3) | 0] === i % 3)),
    mask,
  };
}

/** So many classes from `first` on, and any colours. */
function noisy(size: ImageSize, seed: number, first = 0, classes = 2): Sample {
  const { height, width } = toSize(size);
  const random = new Random(seed, height, width, first);
  return {
    ...{ height, width },
    image: Float32Array.from({ length: 3 * height * width }, () => random.uniform()),
    mask: Uint8Array.from({ length: height * width }, () => random.integer(first, first + classes - 1)),
  };
}

const seeds = fc.nat(0x7fffffff);
const side = fc.constantFrom(8, 16, 33);
const sizes = fc.record({ height: side, width: side });
const applied = (name: RandomName, sample: Sample, seed: number, other = sample): Promise<Sample> =>
  applySteps(sample, { names: [name], seed }, other);

/** They change the photo and leave the mask as it is. */
const OF_PIXELS: readonly RandomName[] = [
  "color_jitter",
  "gaussian_blur",
  "gaussian_noise",
  "jpeg",
  "cutout",
];
const OF_PLACES = RANDOM_NAMES.filter((name) => !OF_PIXELS.includes(name));

describe.each(RANDOM_NAMES)("%s", (name) => {
  const { mixes, leavesIgnored } = RANDOM_AUGMENTATIONS[name] as (typeof RANDOM_AUGMENTATIONS)["affine"] & {
    mixes?: true;
  };

  it("is a function of sample, seed and other sample, leaves them as they are, and is another one for other seeds", async () => {
    const [sample, other] = [noisy(16, 1), noisy(16, 2, 2, 8)];
    const before = structuredClone([sample, other]);
    const results = [];
    for (let seed = 0; seed < 6; seed++) {
      const result = await applied(name, sample, seed, other);
      expect(await applied(name, structuredClone(sample), seed, structuredClone(other))).toEqual(result);
      results.push(result);
    }
    expect([sample, other]).toEqual(before);
    expect(new Set(results.map(({ image }) => image.join())).size).toBeGreaterThan(4);
  });

  it("has no class in the mask that was not there, and no pixel without one unless it says so", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, seeds, async (size, seed) => {
        const [sample, other] = [noisy(size, seed), noisy(size, seed, 2)];
        const { image, mask, ...shape } = await applied(name, sample, seed, other);
        const known = new Set([
          ...sample.mask,
          ...(mixes ? other.mask : []),
          ...(leavesIgnored ? [IGNORE] : []),
        ]);
        expect(mask.every((label) => known.has(label))).toBe(true);
        expect(shape).toEqual(size);
        expect([image.length, mask.length]).toEqual([sample.image.length, sample.mask.length]);
        expect(image.every((value) => value >= 0 && value <= 1 + 1e-6)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

it.each(OF_PIXELS)("%s leaves the mask alone and not the photo", async (name) => {
  const sample = noisy(16, 1);
  const { image, mask } = await applied(name, sample, 3);
  expect(mask).toBe(sample.mask);
  expect(image).not.toEqual(sample.image);
});

// Of a pixel that is interpolated between four, the nearest counts a quarter at least.
it.each(OF_PLACES)(
  "%s moves photo and mask alike: the class of the mask is seen in the photo",
  async (name) => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(sizes, seeds, async (size, seed) => {
        const sample = coloured(size, seed);
        const { image, mask } = await applied(name, sample, seed, coloured(size, seed + 1));
        const shares = [...mask].map((label, pixel) => {
          const [red, green, blue] = image.subarray(3 * pixel, 3 * pixel + 3);
          return label === IGNORE ? 1 - (red + green + blue) - 0.25 : image[3 * pixel + label];
        });
        expect(Math.min(...shares)).toBeGreaterThan(0.25 - 1e-3);
        if (mask.join() !== sample.mask.join()) moved++;
      }),
      { numRuns: 40 },
    );
    expect(moved).toBeGreaterThan(20);
  },
);

it("boxes are of the area and shape asked for, wherever they fit", () => {
  const boxes = Array.from({ length: 500 }, (_, seed) =>
    drawBox(new Random(seed), { height: 128, width: 192 }, [0.1, 0.5], [0.5, 2])!,
  );
  for (const { left, top, width, height } of boxes) {
    expect(left >= 0 && top >= 0 && left + width <= 192 && top + height <= 128).toBe(true);
    expect((width * height) / (128 * 192)).toBeGreaterThan(0.095);
    expect((width * height) / (128 * 192)).toBeLessThan(0.505);
    expect(Math.abs(Math.log2(width / height))).toBeLessThan(1.04);
  }
  expect(Math.min(...boxes.map(({ left }) => left))).toBeLessThan(3);
  expect(Math.max(...boxes.map(({ left, width }) => left + width))).toBeGreaterThan(188);
  expect(Math.max(...boxes.map(({ top, height }) => top + height))).toBeGreaterThan(125);
  expect(drawBox(new Random(1), { height: 128, width: 128 }, [1, 1], [4, 5])).toBeUndefined();
});

it("ClassMix takes half of the classes, rounded up, and never the pixels that have none", () => {
  const mask = Uint8Array.of(4, 4, 9, 0, IGNORE, 7, 58);
  const drawn = Array.from({ length: 100 }, (_, seed) => [...drawClasses(mask, new Random(seed))]);
  expect(new Set(drawn.map(({ length }) => length))).toEqual(new Set([3]));
  expect(new Set(drawn.flat())).toEqual(new Set([0, 4, 7, 9, 58]));
  expect(drawClasses(Uint8Array.of(IGNORE, IGNORE), new Random(1)).size).toBe(0);
});

it.each([
  { height: 32, width: 32 },
  { height: 64, width: 64 },
  { height: 128, width: 128 },
  { height: 64, width: 160 },
])(
  "elastic displacements at $height × $width pixels are 1 to 2 % of each side, and nothing folds",
  ({ height, width }) => {
    const deviations: number[][] = [[], []];
    for (let seed = 0; seed < 30; seed++) {
      const axes = drawDisplacements(new Random(seed), { height, width });
      for (const [axis, moved] of axes.entries()) {
        const extent = axis === 0 ? width : height;
        const before = axis === 0 ? 1 : width;
        deviations[axis].push(
          Math.sqrt(moved.reduce((sum, value) => sum + value ** 2, 0) / moved.length) / extent,
        );
        const isFirst = (i: number): boolean => (axis === 0 ? i % width === 0 : i < width);
        const steps = moved.map((value, i) => (isFirst(i) ? 1 : 1 + value - moved[i - before]));
        expect(steps.filter((step) => step <= 0).length).toBeLessThan(0.01 * steps.length);
      }
    }
    for (const axis of deviations) {
      const mean = axis.reduce((sum, value) => sum + value, 0) / axis.length;
      expect(mean).toBeGreaterThan(0.01);
      expect(mean).toBeLessThan(0.02);
    }
  },
);

it("a rectangle is turned around its middle: half a turn is both flips", () => {
  const sample = noisy({ height: 5, width: 8 }, 3);
  const turned = transformAffine(sample, { angle: 180, translate: [0, 0], scale: 1, shear: [0, 0] });
  const flipped = flipUpDown(flipLeftRight(sample));
  expect(turned.mask).toEqual(flipped.mask);
  turned.image.forEach((value, i) => expect(value).toBeCloseTo(flipped.image[i], 5));
});

it("CutMix's box of a rectangle has the rectangle's shape", () => {
  expect(cutBox({ height: 20, width: 80 }, 0.25, 40, 10)).toEqual({
    left: 20,
    top: 5,
    width: 40,
    height: 10,
  });
});

it("a grid of equal steps moves nothing, and none leaves the photo", () => {
  const still = gridPositions(33, [1, 1, 1, 1, 1]);
  still.forEach((position, i) => expect(position).toBeCloseTo(i, 4));
  const bent = gridPositions(33, [0.7, 1.3, 0.7, 1.3, 1]);
  expect(Math.min(...bent)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...bent)).toBeLessThanOrEqual(32);
  expect([...bent].every((position, i) => i === 0 || position > bent[i - 1])).toBe(true);
});

it("many numbers at once are uniform, or normal, and do not hang together", () => {
  const count = 40_000;
  const mean = (of: Float32Array): number => of.reduce((sum, value) => sum + value, 0) / of.length;
  const flat = uniforms(7, count, -1, 1);
  expect(Math.abs(mean(flat))).toBeLessThan(0.02);
  expect(mean(flat.map((value) => value ** 2))).toBeCloseTo(1 / 3, 2);
  expect(Math.max(...flat.map(Math.abs))).toBeLessThanOrEqual(1);
  const bell = normals(7, count);
  expect(Math.abs(mean(bell))).toBeLessThan(0.02);
  expect(mean(bell.map((value) => value ** 2))).toBeCloseTo(1, 1);
  expect(mean(bell.map((value) => Number(Math.abs(value) < 1)))).toBeCloseTo(0.6827, 2);
  expect(Math.abs(mean(bell.map((value, i) => value * bell[(i + 1) % count])))).toBeLessThan(0.02);
  expect(uniforms(7, 4)).toEqual(uniforms(7, 9).subarray(0, 4));
  expect(uniforms(7, 4)).not.toEqual(uniforms(8, 4));
  expect(normals(7, 3)).toEqual(normals(7, 4).subarray(0, 3));
});

it("the strong set is a flip and all that are others each time, each applied as often as it says", () => {
  const { strong, article } = AUGMENTATION_SETS;
  expect(article).toEqual([
    "original",
    "brightness",
    "gamma",
    "hue",
    "crop",
    "flip_left_right",
    "flip_up_down",
  ]);
  expect(strong).toEqual(["flip_left_right", ...AUGMENTATION_NAMES.filter(isRandom)]);
  const draws = 2000;
  const steps = Array.from({ length: draws }, (_, seed) => randomly(strong).draw!(new Random(seed)));
  for (const name of strong) {
    const times = steps.filter(({ names }) => names.includes(name)).length;
    expect(Math.abs(times / draws - traitsOf(name).probability)).toBeLessThan(0.05);
  }
  expect(new Set(steps.map(({ seed }) => seed)).size).toBeGreaterThan(draws - 100);
});
