/** @file The losses that are compositions of the table's ops, for the table. */
import type * as tf from "@tensorflow/tfjs-core";
import * as theirs from "@tensorflow/tfjs-core";
import type { Tensor } from "../../../src/graph/graph.ts";
import { binaryCrossentropy, categoricalCrossentropy } from "../../../src/graph/ops/crossentropy.ts";
import { huber, meanAbsoluteError, meanSquaredError } from "../../../src/graph/ops/regression-losses.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import type { Domain, TableEntry, Values } from "./table-entry.ts";

const ANY: Domain = [-3, 3];
const PROBABILITY: Domain = [0.05, 0.95];
const LOGIT: Domain = [-8, 8];

const twice = (...shapes: readonly Shape[]): (readonly Shape[])[] => shapes.map((shape) => [shape, shape]);
const SHAPES = twice([3, 5, 7], [8, 192], [1], [], [2, 700]);
const ROWS = twice([3, 5, 7], [8, 192], [2, 1], [1, 3], [1]);

const scalar = (value: number): Values => ({ shape: [], data: Float64Array.of(value) });
const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b) / numbers.length;

/** The mean over all numbers. */
const ofEach =
  (f: (prediction: number, truth: number) => number) =>
  (prediction: Values, truth: Values): Values =>
    scalar(mean(Array.from(prediction.data, (p, i) => f(p, truth.data[i]))));

/** The mean over all rows. */
const ofRows =
  (f: (prediction: readonly number[], truth: readonly number[]) => number) =>
  (prediction: Values, truth: Values): Values => {
    const width = prediction.shape.at(-1)!;
    const rows = Array.from({ length: prediction.data.length / width }, (_, row) => row * width);
    const rowOf = ({ data }: Values, begin: number): number[] => [...data.subarray(begin, begin + width)];
    return scalar(mean(rows.map((begin) => f(rowOf(prediction, begin), rowOf(truth, begin)))));
  };

const entropy = (p: number, t: number): number => -t * Math.log(p) - (1 - t) * Math.log(1 - p);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b);
const categorical = (weights: readonly number[], truth: readonly number[]): number =>
  -total(weights.map((weight, i) => truth[i] * Math.log(weight / total(weights))));

interface Loss {
  readonly name: string;
  readonly build: (prediction: Tensor, truth: Tensor) => Tensor;
  readonly reference: (prediction: Values, truth: Values) => Values;
  readonly theirs?: (prediction: tf.Tensor, truth: tf.Tensor) => tf.Tensor;
  readonly domains?: readonly [Domain, Domain];
  readonly shapes?: readonly (readonly Shape[])[];
}

const LOSSES: readonly Loss[] = [
  {
    name: "meanSquaredError",
    build: (p, t) => meanSquaredError(p, t),
    reference: ofEach((p, t) => (p - t) ** 2),
    theirs: (p, t) => theirs.losses.meanSquaredError(t, p),
  },
  {
    name: "meanAbsoluteError",
    build: (p, t) => meanAbsoluteError(p, t),
    reference: ofEach((p, t) => Math.abs(p - t)),
    theirs: (p, t) => theirs.losses.absoluteDifference(t, p),
  },
  {
    name: "huber, delta 0.7",
    build: (p, t) => huber(p, t, { delta: 0.7 }),
    reference: ofEach((p, t) => {
      const [delta, d] = [Math.fround(0.7), Math.abs(p - t)];
      return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
    }),
    theirs: (p, t) => theirs.losses.huberLoss(t, p, undefined, 0.7),
  },
  {
    name: "binaryCrossentropy",
    build: (p, t) => binaryCrossentropy(p, t),
    domains: [PROBABILITY, PROBABILITY],
    reference: ofEach(entropy),
    theirs: (p, t) => theirs.losses.logLoss(t, p, undefined, 0),
  },
  {
    name: "binaryCrossentropy from logits, smoothed",
    build: (p, t) => binaryCrossentropy(p, t, { fromLogits: true, labelSmoothing: 0.1 }),
    domains: [LOGIT, PROBABILITY],
    reference: ofEach((p, t) => entropy(sigmoid(p), 0.9 * t + 0.05)),
    theirs: (p, t) => theirs.losses.sigmoidCrossEntropy(t, p, undefined, 0.1),
  },
  {
    name: "categoricalCrossentropy",
    build: (p, t) => categoricalCrossentropy(p, t),
    domains: [[0.2, 3], PROBABILITY],
    // A probability of 1 is kept from it, and has no gradient.
    shapes: ROWS.filter(([shape]) => shape.at(-1)! > 1),
    reference: ofRows(categorical),
  },
  {
    name: "categoricalCrossentropy from logits, smoothed",
    build: (p, t) => categoricalCrossentropy(p, t, { fromLogits: true, labelSmoothing: 0.1 }),
    domains: [ANY, PROBABILITY],
    shapes: ROWS.filter(([shape]) => shape.at(-1)! > 1),
    reference: ofRows((x, t) =>
      categorical(
        x.map(Math.exp),
        t.map((each) => 0.9 * each + 0.1 / x.length),
      ),
    ),
  },
];

export const LOSS_TABLE: readonly TableEntry[] = LOSSES.map(
  ({ domains = [ANY, ANY], shapes = SHAPES, ...loss }) => ({ ...loss, domains, shapes }),
);
