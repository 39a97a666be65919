/**
 * @file Cross-entropies with a truth that is a number between 0 and 1 for each class, under Keras's names. Where each pixel has one label,
 * a class index, `sparseSoftmaxCrossEntropy` reads the logits once for everything.
 */
import { activationText } from "../../kernels/text/activation.ts";
import type { Tensor } from "../graph.ts";
import { divide, multiply, subtract } from "./binary.ts";
import { add } from "./add.ts";
import { elementwise, floats } from "./elementwise.ts";
import { checkSameShape, reduceLosses, reduceSamples } from "./loss-reduction.ts";
import type { LossOptions } from "./loss-reduction.ts";
import { max, sum } from "./reduce.ts";
import { stopGradient } from "./stop-gradient.ts";
import { exp, log } from "./unary.ts";

/** What a cross-entropy takes besides prediction and truth. */
export interface CrossentropyOptions extends LossOptions {
  /** Whether the prediction is logits; by default it is probabilities, as in Keras. Logits are the more exact. */
  readonly fromLogits?: boolean | undefined;
  /** How far the truth is moved towards all classes alike, from 0, the default, to below 1. */
  readonly labelSmoothing?: number | undefined;
}

/** Keras's `epsilon()`: probabilities are kept so far from 0 and 1. */
const EPSILON = 1e-7;
const [LOW, HIGH] = [`T(${EPSILON})`, `T(${1 - EPSILON})`];

/** log(1 + e⁻|ᵃ|), exact where the exponential is small too. */
const LOG1P =
  "select(log(1.0 + exp(-abs(a))), exp(-abs(a)) * (1.0 - 0.5 * exp(-abs(a))), exp(-abs(a)) < T(0.001))";

/** From logits a, or probabilities, and the truth b. */
const OF_LOGITS = {
  value: `max(a, T(0.0)) - a * b + ${LOG1P}`,
  gradients: { a: `d * (${activationText("sigmoid", "a", "T")} - b)`, b: "-d * a" },
};
const P = `clamp(a, ${LOW}, ${HIGH})`;
const OF_PROBABILITIES = {
  value: `-(b * log(${P}) + (1.0 - b) * log(1.0 - ${P}))`,
  gradients: {
    a: `select(T(0.0), d * (${P} - b) / (${P} * (1.0 - ${P})), (a >= ${LOW}) & (a <= ${HIGH}))`,
    b: `d * (log(1.0 - ${P}) - log(${P}))`,
  },
};

/**
 * Cross-entropy of independent yes-or-no answers (Keras `BinaryCrossentropy`): the mean of −t·log p − (1 − t)·log(1 − p) over `prediction`
 * and `truth`, floats of one shape `[N, .., D]`: a scalar, or what `reduction` says. p is the prediction, kept 1e-7 from 0 and 1 (beyond,
 * it has no gradient), or with `fromLogits` its sigmoid, of which nothing overflows. Both have a gradient.
 *
 * One dispatch forward, two where there are many numbers, and one back.
 *
 * @throws Error when the shapes differ, one of the two is u32, the smoothing is not in [0, 1), or the sample weights do not fit.
 */
export function binaryCrossentropy(
  prediction: Tensor,
  truth: Tensor,
  { fromLogits = false, labelSmoothing = 0, ...options }: CrossentropyOptions = {},
): Tensor<"f32"> {
  const op = "binaryCrossentropy";
  const b = smoothed(op, prediction, truth, labelSmoothing, 2);
  const { value, gradients } = fromLogits ? OF_LOGITS : OF_PROBABILITIES;
  const losses = elementwise(`${op}_of_each`, value, { a: prediction, b }, { dtype: "f32", gradients });
  return reduceLosses(op, losses, options);
}

/**
 * Cross-entropy with a distribution over classes (Keras `CategoricalCrossentropy`): the mean over samples of −Σ t·log p, where `prediction`
 * and `truth` are floats of one shape `[N, .., classes]`: a scalar, or what `reduction` says. p is the prediction divided by its sum
 * and kept 1e-7 from 0 and 1, or with `fromLogits` its softmax. Both have a gradient.
 *
 * From logits three dispatches forward (largest, sum, loss) and two back; from probabilities two and two.
 *
 * @throws Error as {@link binaryCrossentropy} does, or when there is no axis of classes.
 */
export function categoricalCrossentropy(
  prediction: Tensor,
  truth: Tensor,
  { fromLogits = false, labelSmoothing = 0, ...options }: CrossentropyOptions = {},
): Tensor<"f32"> {
  const op = "categoricalCrossentropy";
  const classes = prediction.shape.at(-1);
  if (classes === undefined)
    throw new Error(`${op} takes [N, .., classes]; the prediction "${prediction.name}" is a scalar.`);
  const t = smoothed(op, prediction, truth, labelSmoothing, classes);
  const rows = { axis: -1, keepDims: true };
  if (fromLogits) {
    // Sums of rows are f32, and so is what is computed with them.
    const x = subtract(prediction, stopGradient(max(prediction, rows)));
    const logOfSum = log(sum(exp(x), rows));
    return reduceSamples(op, multiply(t, subtract(logOfSum, x)), 1, options);
  }
  const p = divide(prediction, sum(prediction, rows));
  const terms = elementwise(
    `${op}_of_each`,
    `-b * log(${P})`,
    { a: p, b: t },
    {
      dtype: "f32",
      gradients: {
        a: `select(T(0.0), -d * b / ${P}, (a >= ${LOW}) & (a <= ${HIGH}))`,
        b: `-d * log(${P})`,
      },
    },
  );
  return reduceSamples(op, terms, 1, options);
}

/** The truth, moved by `smoothing` towards 1/`classes`. */
function smoothed(op: string, prediction: Tensor, truth: Tensor, smoothing: number, classes: number): Tensor {
  floats(op, prediction, truth);
  checkSameShape(op, prediction, truth);
  if (!(smoothing >= 0 && smoothing < 1))
    throw new Error(`${op}: labelSmoothing must be from 0 to below 1, not ${smoothing}.`);
  return smoothing === 0 ? truth : add(multiply(truth, 1 - smoothing), smoothing / classes);
}
