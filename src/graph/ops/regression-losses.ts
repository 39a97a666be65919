/**
 * @file Losses of numbers. Each is one line of WGSL and a sum: one dispatch forward (two where there are so many numbers that partial sums
 * pay), in which neither differences nor losses are stored, and one back.
 */
import type { Tensor } from "../graph.ts";
import { elementwise, floats } from "./elementwise.ts";
import { checkSameShape, reduceLosses } from "./loss-reduction.ts";
import type { LossOptions } from "./loss-reduction.ts";

/** WGSL of the loss and of its gradient by the prediction a, from a, the truth b and δ, c; by b it is the opposite. */
interface LossText {
  readonly value: string;
  readonly slope: string;
}

const SQUARED: LossText = { value: "(a - b) * (a - b)", slope: "2.0 * (a - b)" };
const ABSOLUTE: LossText = { value: "abs(a - b)", slope: "sign(a - b)" };
const HUBER: LossText = {
  value: "select(c * (abs(a - b) - 0.5 * c), 0.5 * (a - b) * (a - b), abs(a - b) <= T(c))",
  slope: "clamp(a - b, T(-c), T(c))",
};

function pointwiseLoss(
  op: string,
  prediction: Tensor,
  truth: Tensor,
  { value, slope }: LossText,
  options: LossOptions,
  numbers: Readonly<Record<string, number>> = {},
): Tensor<"f32"> {
  floats(op, prediction, truth);
  checkSameShape(op, prediction, truth);
  const losses = elementwise(
    `${op}_of_each`,
    value,
    { a: prediction, b: truth, ...numbers },
    { dtype: "f32", gradients: { a: `d * (${slope})`, b: `-d * (${slope})` } },
  );
  return reduceLosses(op, losses, options);
}

/**
 * Mean of the squared differences between `prediction` and `truth`, floats of one shape `[N, .., D]` (Keras `MeanSquaredError`): a scalar,
 * or what `reduction` says. Both have a gradient.
 *
 * @throws Error when the shapes differ, one of the two is u32, or the sample weights do not fit.
 */
export function meanSquaredError(
  prediction: Tensor,
  truth: Tensor,
  options: LossOptions = {},
): Tensor<"f32"> {
  return pointwiseLoss("meanSquaredError", prediction, truth, SQUARED, options);
}

/** Mean of |prediction − truth| (Keras `MeanAbsoluteError`); the gradient where they are equal is 0. See {@link meanSquaredError}. */
export function meanAbsoluteError(
  prediction: Tensor,
  truth: Tensor,
  options: LossOptions = {},
): Tensor<"f32"> {
  return pointwiseLoss("meanAbsoluteError", prediction, truth, ABSOLUTE, options);
}

/** What the Huber loss takes besides prediction and truth. */
export interface HuberOptions extends LossOptions {
  /** The difference from which on the loss is no longer a square but a line, above 0; 1 by default. */
  readonly delta?: number | undefined;
}

/**
 * The Huber loss (Huber 1964, Keras `Huber`) of the difference d of each two numbers, ½·d² where |d| ≤ δ and δ·(|d| − ½·δ) beyond, and its
 * mean. See {@link meanSquaredError}.
 *
 * @throws Error as that one does, or when δ is not above 0.
 */
export function huber(
  prediction: Tensor,
  truth: Tensor,
  { delta = 1, ...options }: HuberOptions = {},
): Tensor<"f32"> {
  if (!(delta > 0 && Number.isFinite(delta)))
    throw new Error(`huber: delta must be a number above 0, not ${delta}.`);
  return pointwiseLoss("huber", prediction, truth, HUBER, options, { c: delta });
}
