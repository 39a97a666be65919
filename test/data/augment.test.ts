import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { FIXED_AUGMENTATIONS, FIXED_NAMES, randomly } from "../../src/data/augment.ts";
import { adjustBrightness, adjustGamma, adjustHue, centralCrop } from "../../src/data/augment.ts";
import { DataError } from "../../src/data/data-error.ts";
import type { Sample } from "../../src/data/dataset.ts";
import { Random } from "../../src/data/random.ts";
import { toSize } from "../../src/image-size.ts";
import type { ImageSize } from "../../src/image-size.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** Noise: image values in [low, high), classes 0 to 58. */
function noise(size: ImageSize, seed = 0, low = 0, high = 1): Sample {
  const { height, width } = toSize(size);
  const random = new Random(seed, height, width);
  return {
    ...{ height, width },
    image: Float32Array.from({ length: 3 * height * width }, () => random.uniform(low, high)),
    mask: Uint8Array.from({ length: height * width }, () => random.integer(0, 58)),
  };
}

const side = fc.integer({ min: 1, max: 24 });
const sizes = fc.record({ height: side, width: side });
const seeds = fc.nat(1e6);
const moves = ["flip_left_right", "flip_up_down", "rot90"] as const;

function worst(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  expect(ours.length).toBe(theirs.length);
  return Array.from(ours).reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
}

test("brightness adds and does not clip", () => {
  const { image } = noise(9);
  const ours = adjustBrightness(image, 0.1);
  ours.forEach((value, i) => expect(value).toBe(Math.fround(image[i] + Math.fround(0.1))));
  expect(Math.max(...ours)).toBeGreaterThan(1);
  expect([...adjustBrightness(Float32Array.of(0, 0.5, 1), -0.75)]).toEqual([-0.75, -0.25, 0.25]);
});

test("gamma is the power of every value, to the last bit but for one in some ten thousand", () => {
  const { image } = noise(128);
  const exact = image.map((value) => Math.pow(value, Math.fround(0.1)));
  const ours = adjustGamma(image, 0.1);
  expect(ours.filter((value, i) => value !== exact[i]).length).toBeLessThan(6);
  expect([...adjustGamma(Float32Array.of(0, 1, -1, Infinity, NaN, 2 ** -140), 0.1)]).toEqual([
    ...[0, 1, NaN, Infinity, NaN, Math.fround(Math.pow(2, -140 * Math.fround(0.1)))],
  ]);
  expect([...adjustGamma(Float32Array.of(0, -3, 0.25), 2)]).toEqual([0, 9, 0.0625]);
  expect([...adjustGamma(Float32Array.of(0, -3, 0.25), 0)]).toEqual([1, 1, 1]);
  expect(() => adjustGamma(image, -1)).toThrow(DataError);
});

test("gamma is right for every float32 and usual exponent", () => {
  const values = fc.float({ min: 0, noNaN: true });
  fc.assert(
    fc.property(values, fc.constantFrom(0.1, 0.5, 1, 1.5, 2.2, 3), (value, gamma) => {
      const exact = Math.fround(Math.pow(value, Math.fround(gamma)));
      const [ours] = adjustGamma(Float32Array.of(value), gamma);
      if (gamma === 1) expect(ours).toBe(value);
      // Subnormal results have fewer digits.
      expect(Object.is(ours, exact) || Math.abs(ours - exact) <= exact * 2 ** -23 + 2 ** -149).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** The textbook's HSV to RGB with the hue turned, in float64 and by another way than the kernel's. */
function turned([red, green, blue]: number[], delta: number): number[] {
  const high = Math.max(red, green, blue);
  const range = high - Math.min(red, green, blue);
  let hue = 0;
  if (range > 0) {
    if (high === red) hue = (green - blue) / range;
    else if (high === green) hue = 2 + (blue - red) / range;
    else hue = 4 + (red - green) / range;
  }
  return [5, 3, 1].map((n) => {
    const k = (((n + hue + 6 * delta) % 6) + 6) % 6;
    return high - range * Math.max(0, Math.min(k, 4 - k, 1));
  });
}

test("hue turns known colours as tf.image.adjust_hue does", () => {
  const hue = (colour: number[], delta: number): number[] => [...adjustHue(Float32Array.from(colour), delta)];
  expect(hue([1, 0, 0], 1 / 3)).toEqual([0, 1, 0]);
  expect(worst(hue([1, 0, 0], -0.1), [1, 0, 0.6])).toBeLessThan(1e-6);
  expect(worst(hue([0, 1, 0], -0.1), [0.6, 1, 0])).toBeLessThan(1e-6);
  expect(worst(hue([0, 0, 1], -0.1), [0, 0.6, 1])).toBeLessThan(1e-6);
  expect(hue([0.5, 0.5, 0.5], -0.1)).toEqual([0.5, 0.5, 0.5]);
  expect(hue([0, 0.5, 0.25, 1, 1, 0], 0)).toEqual([0, 0.5, 0.25, 1, 1, 0]);
  expect(worst(hue([1.5, -0.5, -0.5], 0.5), [-0.5, 1.5, 1.5])).toBeLessThan(1e-6);
  expect(() => hue([1, 0, 0], 1.01)).toThrow(DataError);
});

test("hue is the textbook's turn of HSV, also outside [0, 1], and can be turned back", () => {
  const values = fc.float({ min: -2, max: 2, noNaN: true });
  const colours = fc.tuple(values, values, values);
  const deltas = fc.float({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(colours, deltas, (colour, delta) => {
      const ours = adjustHue(Float32Array.from(colour), delta);
      expect(worst(ours, turned(colour, delta))).toBeLessThan(1e-5);
      expect(worst(adjustHue(ours, -delta), colour)).toBeLessThan(2e-5);
      const ends = (of: Iterable<number>): number[] => [Math.min(...of), Math.max(...of)];
      expect(worst(ends(ours), ends(colour))).toBeLessThan(1e-6);
    }),
    { numRuns: 2000 },
  );
});

test("flips and rot90 are tf.image's, on photo and mask", () => {
  fc.assert(
    fc.property(sizes, seeds, (size, seed) => {
      const sample = noise(size, seed);
      const theirs = (channels: number, values: Float32Array | Uint8Array): ArrayLike<number>[] =>
        tf.tidy(() => {
          const image = tf.tensor3d(values, [size.height, size.width, channels], "float32");
          return [
            tf.image.flipLeftRight(tf.expandDims<tf.Tensor4D>(image, 0)).dataSync(),
            tf.reverse(image, 0).dataSync(),
            tf.transpose(tf.reverse(image, 1), [1, 0, 2]).dataSync(),
          ];
        });
      const images = theirs(3, sample.image);
      const masks = theirs(1, sample.mask);
      moves.forEach((name, i) => {
        const { image, mask, ...shape } = FIXED_AUGMENTATIONS[name](sample);
        const turned = { height: size.width, width: size.height };
        expect(shape).toEqual(name === "rot90" ? turned : size);
        expect([...image]).toEqual(Array.from(images[i]));
        expect([...mask]).toEqual(Array.from(masks[i]));
      });
    }),
    { numRuns: 25 },
  );
  expect([
    ...FIXED_AUGMENTATIONS.rot90({
      ...{ height: 2, width: 2, image: new Float32Array(12) },
      mask: Uint8Array.of(1, 2, 3, 4),
    }).mask,
  ]).toEqual([2, 4, 1, 3]);
});

test("flips twice and rot90 four times are nothing; photo and mask move together", () => {
  fc.assert(
    fc.property(sizes, seeds, (size, seed) => {
      const { mask } = noise(size, seed);
      const sample = {
        ...size,
        image: Float32Array.from({ length: 3 * mask.length }, (_, i) => mask[(i / 3) | 0]),
        mask,
      };
      for (const name of moves) {
        const moved = FIXED_AUGMENTATIONS[name](sample);
        expect([...moved.image]).toEqual([...moved.mask].flatMap((label) => [label, label, label]));
        let back = moved;
        for (let k = name === "rot90" ? 3 : 1; k > 0; k--) back = FIXED_AUGMENTATIONS[name](back);
        expect(back).toEqual(sample);
      }
    }),
    { numRuns: 40 },
  );
});

/** tfjs computes sampling positions in float64; TensorFlow and we round them to float32. */
const POSITION_ROUNDING = 1e-5;

function tfCrop(
  values: Float32Array | Uint8Array,
  size: ImageSize,
  [top, left]: readonly [number, number],
  nearest = false,
): ArrayLike<number> {
  const { height, width } = toSize(size);
  return tf.tidy(() => {
    const channels = values.length / (height * width);
    const whole = tf.tensor3d(values, [height, width, channels], "float32");
    const part = tf.slice(whole, [top, left, 0], [height - 2 * top, width - 2 * left, channels]);
    const resize = nearest ? tf.image.resizeNearestNeighbor : tf.image.resizeBilinear;
    return resize(part, [height, width], false, true).dataSync();
  });
}

test("crop keeps rows and columns 19 to 108 of 128 and resizes them back as tf.image does", () => {
  const sample = noise(128);
  const { image, mask } = FIXED_AUGMENTATIONS.crop(sample);
  expect(worst(image, tfCrop(sample.image, 128, [19, 19]))).toBeLessThan(POSITION_ROUNDING);
  expect([...mask]).toEqual(Array.from(tfCrop(sample.mask, 128, [19, 19], true)));

  const truncated = FIXED_AUGMENTATIONS.crop(sample, { maskInterpolation: "bilinear" });
  const between = tfCrop(sample.mask, 128, [19, 19]);
  truncated.mask.forEach((label, i) => {
    expect([Math.floor(between[i] - 1e-3), Math.floor(between[i] + 1e-3)]).toContain(label);
  });
  expect([...truncated.mask]).not.toEqual([...mask]);
  expect(truncated.image).toEqual(image);
});

test("crop's margin is rounded down, its masks hold no new class, and photo and mask stay together", () => {
  fc.assert(
    fc.property(
      fc.record({ height: fc.integer({ min: 4, max: 40 }), width: fc.integer({ min: 4, max: 40 }) }),
      seeds,
      fc.double({ min: 0.3, max: 1, noNaN: true }),
      (size, seed, fraction) => {
        const sample = noise(size, seed);
        const { image, mask } = centralCrop(sample, fraction);
        const margin = (length: number): number => Math.floor((length - length * fraction) / 2);
        const margins = [margin(size.height), margin(size.width)] as const;
        expect(worst(image, tfCrop(sample.image, size, margins))).toBeLessThan(POSITION_ROUNDING);
        const classes = new Set(sample.mask);
        expect(mask.every((label) => classes.has(label))).toBe(true);

        const columns = sample.mask.map((_, i) => i % size.width);
        const red = Float32Array.from({ length: 3 * columns.length }, (_, i) => columns[(i / 3) | 0]);
        const ramp = centralCrop({ ...size, image: red, mask: columns }, fraction);
        expect(
          worst(
            ramp.mask,
            ramp.image.filter((_, i) => i % 3 === 0),
          ),
        ).toBeLessThan(0.501);
      },
    ),
    { numRuns: 40 },
  );
  for (const fraction of [0, -1, 1.1, NaN]) {
    expect(() => centralCrop(noise(8), fraction)).toThrow(DataError);
  }
});

test("each augmentation has the tutorial's strength and leaves the sample it is given as it was", () => {
  const sample = noise(16, 3);
  const before = structuredClone(sample);
  expect(FIXED_NAMES).toEqual([
    ...["original", "brightness", "gamma", "hue", "crop", "flip_left_right", "flip_up_down", "rot90"],
  ]);
  const { image } = sample;
  expect(FIXED_AUGMENTATIONS.original(sample)).toBe(sample);
  expect(FIXED_AUGMENTATIONS.brightness(sample).image).toEqual(adjustBrightness(image, 0.1));
  expect(FIXED_AUGMENTATIONS.gamma(sample).image).toEqual(adjustGamma(image, 0.1));
  expect(FIXED_AUGMENTATIONS.hue(sample).image).toEqual(adjustHue(image, -0.1));
  expect(FIXED_AUGMENTATIONS.crop(sample)).toEqual(centralCrop(sample, 0.7));
  expect(FIXED_AUGMENTATIONS.brightness(sample, { brightness: 0.3 }).image).toEqual(
    adjustBrightness(image, 0.3),
  );
  expect(FIXED_AUGMENTATIONS.gamma(sample, { gamma: 2 }).image).toEqual(adjustGamma(image, 2));
  expect(FIXED_AUGMENTATIONS.hue(sample, { hue: 0.4 }).image).toEqual(adjustHue(image, 0.4));
  expect(FIXED_AUGMENTATIONS.crop(sample, { crop: 0.5 })).toEqual(centralCrop(sample, 0.5));
  for (const name of moves) FIXED_AUGMENTATIONS[name](sample);
  expect(sample).toEqual(before);
});

test("random augmentation applies each of its names to every second sample, in order", async () => {
  const sample = noise(4);
  const augment = randomly(["rot90", "brightness"], { brightness: 1 });
  const { rot90, brightness } = FIXED_AUGMENTATIONS;
  const bright = (of: Sample): Sample => brightness(of, { brightness: 1 });
  const outcomes = [sample, rot90(sample), bright(sample), bright(rot90(sample))].map((s) =>
    [...s.image].join(),
  );
  const seen = [0, 0, 0, 0];
  for (let seed = 0; seed < 400; seed++) {
    const result = await augment(sample, new Random(seed));
    expect(await augment(sample, new Random(seed))).toEqual(result);
    seen[outcomes.indexOf([...result.image].join())]++;
  }
  for (const times of seen) {
    expect(times).toBeGreaterThan(60);
    expect(times).toBeLessThan(140);
  }
});
