import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { resizeBilinear, resizeNearest } from "../../src/data/resize.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const sizes = fc.record({ width: fc.integer({ min: 1, max: 41 }), height: fc.integer({ min: 1, max: 41 }) });
const bytes = (n: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: n }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24);

/** tfjs computes sampling positions in float64; TensorFlow and we round them to float32. */
const POSITION_ROUNDING = 1e-5;

test("bilinear is tf.image.resizeBilinear with half-pixel centres, at any size", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.constantFrom(1, 3), fc.nat(), (from, to, channels, seed) => {
      const source = bytes(from.width * from.height * channels, seed);
      const ours = resizeBilinear(source, from, channels, to, 1 / 255);
      const theirs = tf.tidy(() => {
        const image = tf.div(tf.tensor3d(source, [from.height, from.width, channels], "float32"), 255);
        return tf.image.resizeBilinear(image as tf.Tensor3D, [to.height, to.width], false, true).dataSync();
      });
      expect(ours.length).toBe(theirs.length);
      const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
      expect(worst).toBeLessThan(POSITION_ROUNDING);
    }),
    { numRuns: 60 },
  );
});

/** Whether output `i` samples the very border of two inputs, where float32 and float64 may fall on either side. */
const onBorder = (i: number, from: number, to: number): boolean => ((2 * i + 1) * from) % (2 * to) === 0;

test("nearest is tf.image.resizeNearestNeighbor with half-pixel centres, at any size", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (from, to, seed) => {
      const source = bytes(from.width * from.height, seed);
      const theirs = tf.tidy(() => {
        const image = tf.tensor3d(source, [from.height, from.width, 1], "float32");
        return tf.image.resizeNearestNeighbor(image, [to.height, to.width], false, true).dataSync();
      });
      const ours = resizeNearest(source, from, to);
      expect(ours.length).toBe(theirs.length);
      const differs = ours.findIndex(
        (value, i) =>
          value !== theirs[i] &&
          !onBorder(i % to.width, from.width, to.width) &&
          !onBorder(Math.floor(i / to.width), from.height, to.height),
      );
      expect(differs).toBe(-1);
    }),
    { numRuns: 60 },
  );
});

test("on the border of two inputs, nearest falls where float32 falls, as in TensorFlow", () => {
  // 20.5 · 2/41 is 1, but 0.99999994 in float32.
  const wide = resizeNearest(Uint8Array.of(7, 9), { width: 2, height: 1 }, { width: 41, height: 1 });
  expect([...wide.subarray(19, 22)]).toEqual([7, 7, 9]);
});

test("does not antialias: a large picture made small is sampled, not averaged", () => {
  const source = Uint8Array.from({ length: 8 }, (_, i) => (i % 4 === 1 ? 100 : 0));
  const small = { width: 2, height: 1 };
  expect([...resizeBilinear(source, { width: 8, height: 1 }, 1, small)]).toEqual([50, 50]);
  expect([...resizeNearest(source, { width: 8, height: 1 }, small)]).toEqual([0, 0]);
});

test("the same size changes nothing", () => {
  const size = { width: 5, height: 3 };
  const source = bytes(45, 7);
  expect([...resizeBilinear(source, size, 3, size)]).toEqual([...source]);
  expect([...resizeNearest(source.subarray(0, 15), size, size)]).toEqual([...source.subarray(0, 15)]);
});
