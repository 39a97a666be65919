import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { normalize } from "../../src/data/normalize.ts";
import { Random } from "../../src/data/random.ts";

const random = new Random(1);
const image = Float32Array.from({ length: 3 * 50 }, () => random.uniform(-0.2, 1.2));

test("unit leaves values as they are", () => {
  const before = image.slice();
  expect(normalize(image, "unit")).toBe(image);
  const out = new Float32Array(image.length);
  expect(normalize(image, "unit", out)).toBe(out);
  expect([out, image]).toEqual([before, before]);
});

test("imagenet is Keras' torch mode for DenseNet, in float32", async () => {
  await tf.setBackend("cpu");
  const theirs = tf.tidy(() => {
    const centred = tf.sub(tf.tensor2d(image, [50, 3]), tf.tensor1d([0.485, 0.456, 0.406]));
    return tf.div(centred, tf.tensor1d([0.229, 0.224, 0.225])).dataSync();
  });
  const before = image.slice();
  const ours = normalize(image, "imagenet");
  expect([...ours]).toEqual(Array.from(theirs));
  expect(image).toEqual(before);
  expect(normalize(Float32Array.of(0.485, 0.456 + 0.224, 0.406 - 0.225), "imagenet").map(Math.round)).toEqual(
    Float32Array.of(0, 1, -1),
  );
  const inPlace = image.slice();
  expect(normalize(inPlace, "imagenet", inPlace)).toBe(inPlace);
  expect(inPlace).toEqual(ours);
});

test.each([
  // `keras.applications.imagenet_utils.preprocess_input` of a pixel 255·(0.2, 0.4, 1).
  ["caffe", [255 - 103.939, 102 - 116.779, 51 - 123.68]],
  ["tf", [51 / 127.5 - 1, 102 / 127.5 - 1, 255 / 127.5 - 1]],
  ["bytes", [51, 102, 255]],
] as const)("%s is what Keras makes of bytes, in place too", (normalization, expected) => {
  const image = Float32Array.of(0.2, 0.4, 1, 0, 0, 0);
  const ours = normalize(image, normalization);
  expected.forEach((value, channel) => expect(ours[channel]).toBeCloseTo(value, 4));
  expect(normalize(image, normalization, image)).toEqual(ours);
});
