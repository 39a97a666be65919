/** @file Losses over the pixels of a batch, some of which do not count, by their definitions. */
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropyAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import { diceLoss } from "../../../src/graph/ops/dice-loss.ts";
import { focalLoss } from "../../../src/graph/ops/focal-loss.ts";
import { lovaszSoftmax } from "../../../src/graph/ops/lovasz-softmax.ts";
import { pixelCount } from "../../../src/graph/ops/pixel-count.ts";
import { tverskyLoss } from "../../../src/graph/ops/tversky-loss.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { forwardCase, labels, opCase, positive } from "../kernel-case.ts";
import type { KernelCase, Kernels } from "../kernel-case.ts";

const FAMILIES: readonly Kernels[] = [
  { family: "register" },
  { family: "register", subgroupSize: 0 },
  { family: "workgroup" },
  { family: "workgroup", subgroupSize: 0 },
];
/** Pixels of this class do not count. */
const ignoreLabel = 1;
/** To what the Lovász loss rounds errors. */
const STEPS = 2 ** 14;

function casesAt(shape: Shape): KernelCase[] {
  const classes = shape[shape.length - 1];
  const classOf = labels(shape.slice(0, -1), classes);
  const inputs = { logits: shape, labels: classOf };
  const weighted = { ...inputs, class_weights: positive([classes], 3) };
  const ids = Int32Array.from(classOf.data);
  const counted = Float32Array.from(ids, (label) => (label === ignoreLabel ? 0 : 1));
  const count = counted.reduce((a, b) => a + b);
  const present = [...new Set(ids)].filter((label) => label !== ignoreLabel);

  const rows = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1, classes]);
  /** One-hot, and all 0 where a pixel does not count. */
  const truth = (): tf.Tensor => tf.mul(tf.oneHot(ids, classes), tf.tensor2d(counted, [counted.length, 1]));
  /** The softmax, and all 0 where a pixel does not count. */
  const probabilities = (x: tf.Tensor): tf.Tensor =>
    tf.mul(tf.softmax(rows(x)), tf.tensor2d(counted, [counted.length, 1]));
  const meanOfPixels = (losses: tf.Tensor): tf.Tensor => tf.div(tf.sum(tf.mul(losses, counted)), count);
  const meanOfClasses = (losses: tf.Tensor): tf.Tensor => tf.mean(tf.gather(losses, present));
  const entropies = (x: tf.Tensor, smoothing = 0): tf.Tensor => {
    const smoothed = tf.add(tf.mul(tf.oneHot(ids, classes), 1 - smoothing), smoothing / classes);
    return tf.neg(tf.sum(tf.mul(smoothed, tf.logSoftmax(rows(x))), 1));
  };
  const timesWeights = (losses: tf.Tensor, weights: tf.Tensor): tf.Tensor =>
    tf.mul(losses, tf.gather(weights, ids));
  const tversky = (x: tf.Tensor, alpha: number, beta: number): tf.Tensor => {
    const [p, t] = [probabilities(x), truth()];
    const overlap = tf.sum(tf.mul(p, t), 0);
    const falsePositives = tf.sub(tf.sum(p, 0), overlap);
    const falseNegatives = tf.sub(tf.sum(t, 0), overlap);
    const mistakes = tf.add(tf.mul(falsePositives, alpha), tf.mul(falseNegatives, beta));
    return meanOfClasses(tf.sub(1, tf.div(overlap, tf.add(overlap, mistakes))));
  };

  return [
    forwardCase(
      "pixel_count",
      { labels: classOf },
      (classOf) => pixelCount(classOf, ignoreLabel),
      () => tf.scalar(count),
    ),
    ...FAMILIES.flatMap((kernels) => [
      opCase(
        "cross_entropy without class 1, with class weights and label smoothing",
        weighted,
        (x, classOf, classWeights) =>
          crossEntropyAndAccuracy(x, classOf, { ignoreLabel, classWeights, labelSmoothing: 0.1 }).loss,
        (x, weights) => meanOfPixels(timesWeights(entropies(x, 0.1), weights)),
        { kernels, constants: 1 },
      ),
      opCase(
        "focal_loss without class 1, with class weights",
        weighted,
        (x, classOf, classWeights) => focalLoss(x, classOf, { ignoreLabel, classWeights }).loss,
        (x, weights) => {
          const miss = tf.sub(1, tf.sum(tf.mul(tf.softmax(rows(x)), tf.oneHot(ids, classes)), 1));
          return meanOfPixels(timesWeights(tf.mul(tf.square(miss), entropies(x)), weights));
        },
        { kernels, constants: 1 },
      ),
      opCase(
        "tversky_loss without class 1",
        inputs,
        (x, classOf) => tverskyLoss(x, classOf, { ignoreLabel }).loss,
        (x) => tversky(x, 0.3, 0.7),
        { kernels },
      ),
      opCase(
        "dice_loss and cross_entropy without class 1",
        inputs,
        (x, classOf) => diceLoss(x, classOf, { ignoreLabel, crossEntropy: {} }).loss,
        (x) => tf.add(tversky(x, 0.5, 0.5), meanOfPixels(entropies(x))),
        { kernels },
      ),
      opCase(
        "lovasz_softmax without class 1",
        inputs,
        (x, classOf) => lovaszSoftmax(x, classOf, { ignoreLabel }).loss,
        (x) => {
          const p = probabilities(x);
          const losses = present.map((c) => {
            const ofClass = tf.tensor1d(ids.map((label) => (label === c ? 1 : 0)));
            const errors = tf.abs(tf.sub(ofClass, tf.squeeze(tf.slice(p, [0, c], [-1, 1]), [1])));
            return lovaszOf(errors, ids, c);
          });
          return tf.mean(tf.stack(losses));
        },
        { kernels },
      ),
    ]),
  ];
}

/** The Lovász extension of the Jaccard loss of class `c` at the rounded `errors` of all pixels. */
function lovaszOf(errors: tf.Tensor, ids: Int32Array, c: number): tf.Tensor {
  const values = errors.dataSync<"float32">();
  const rounded = values.map((error) => Math.round(error * STEPS) / STEPS);
  const pixels = [...ids.keys()].filter((i) => ids[i] !== ignoreLabel);
  const all = pixels.filter((i) => ids[i] === c).length;
  const jaccard = (found: number, others: number): number => 1 - (all - found) / (all + others);
  const weights = new Float32Array(ids.length);
  let [found, others] = [0, 0];
  for (const error of [...new Set(pixels.map((i) => rounded[i]))].sort((a, b) => b - a)) {
    const equal = pixels.filter((i) => rounded[i] === error);
    const [more, moreOthers] = [true, false].map((is) => equal.filter((i) => (ids[i] === c) === is).length);
    const [next, nextOthers] = [found + more, others + moreOthers];
    // Equal errors: those of the class first, and those of the class last, in the mean.
    const ofClass =
      (jaccard(next, others) -
        jaccard(found, others) +
        jaccard(next, nextOthers) -
        jaccard(found, nextOthers)) /
      2;
    const ofOthers = jaccard(next, nextOthers) - jaccard(found, others) - ofClass;
    for (const i of equal) weights[i] = ids[i] === c ? ofClass / more : ofOthers / moreOthers;
    [found, others] = [next, nextOthers];
  }
  const rest = tf.tensor1d(rounded.map((error, i) => error - values[i]));
  return tf.sum(tf.mul(tf.add(errors, rest), tf.tensor1d(weights)));
}

const SHAPES: readonly Shape[] = [
  [3, 5, 7, 5],
  [2, 4, 4, 20],
];

export const lossCases: readonly KernelCase[] = SHAPES.flatMap(casesAt);
