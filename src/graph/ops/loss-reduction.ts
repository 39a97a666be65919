/** @file What becomes of the losses of single numbers or rows: Keras's reductions and sample weights. */
import type { Tensor } from "../graph.ts";
import { sameShape, shapeText, sizeOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { multiply } from "./binary.ts";
import { broadcastTo, elementwise } from "./elementwise.ts";
import { reducedShape, reduction } from "./reduction.ts";
import { reshape } from "./reshape.ts";

/** How the losses of samples become one number, and what each counts. */
export interface LossOptions {
  /**
   * `mean`, the default: the mean over the batch of each sample's loss, a scalar (Keras `sum_over_batch_size`). `sum`: their sum, a scalar.
   * `none`: the loss of each sample, `[N, ..]` without the last axis. A sample is what lies along the last axis.
   */
  readonly reduction?: "mean" | "sum" | "none" | undefined;
  /**
   * What the losses of the samples are multiplied by, `[N]` or with as many more axes of the samples as it has. As Keras does it, the mean is
   * divided by how many samples there are, not by the sum of the weights.
   */
  readonly sampleWeight?: Tensor | undefined;
}

/** @throws Error when the two differ in shape: broadcasting here is nearly always a mistake. */
export function checkSameShape(op: string, prediction: Tensor, truth: Tensor): void {
  if (sameShape(prediction.shape, truth.shape)) return;
  const text = ({ name, shape }: Tensor): string => `"${name}" ${shapeText(shape)}`;
  throw new Error(
    `${op}: the prediction ${text(prediction)} and the truth ${text(truth)} differ in shape: reshape one of them.`,
  );
}

/** Reduces losses of single numbers; a sample's loss is the mean over its last axis. */
export function reduceLosses(op: string, losses: Tensor, options: LossOptions): Tensor<"f32"> {
  return reduceSamples(op, losses, 1 / (losses.shape.at(-1) ?? 1), options);
}

/** Reduces terms `[.., C]` of which `factor` times the sum over the last axis is a sample's loss. */
export function reduceSamples(
  op: string,
  terms: Tensor,
  factor: number,
  { reduction: kind = "mean", sampleWeight }: LossOptions,
): Tensor<"f32"> {
  if (!["mean", "sum", "none"].includes(kind))
    throw new Error(`${op}: the reduction is "mean", "sum" or "none", not "${kind}".`);
  if (kind === "none" && terms.shape.length === 0)
    throw new Error(`${op}: a scalar has no samples to keep apart; take the reduction "mean" or "sum".`);
  const samples = terms.shape.slice(0, -1);
  const weighted = sampleWeight
    ? multiply(terms, reshape(sampleWeight, weightShape(op, sampleWeight, terms.shape)))
    : terms;
  const scale = kind === "mean" ? factor / sizeOf(samples) : factor;
  return scaledSum(op, weighted, kind === "none" ? -1 : undefined, scale);
}

/** The weight's shape with a 1 for each axis that it lacks. */
function weightShape(op: string, { name, shape }: Tensor, terms: Shape): Shape {
  const samples = terms.slice(0, -1);
  if (shape.length > samples.length || !sameShape(shape, samples.slice(0, shape.length))) {
    throw new Error(
      `${op}: the sample weights "${name}" are ${shapeText(shape)} and must be ${shapeText(samples)}, one a sample, or the ` +
        `first of these axes.`,
    );
  }
  return terms.map((_, axis) => shape.at(axis) ?? 1);
}

/** `scale` times the sum over an axis or all, in the dispatches of a sum. */
function scaledSum(name: string, x: Tensor, axis: number | undefined, scale: number): Tensor<"f32"> {
  const shapes = reducedShape(name, x, axis === undefined ? {} : { axis });
  const { shape, dtype } = x;
  return reduction(
    name,
    x,
    "sum",
    shapes,
    ([dy]) => [
      () => {
        const a = reshape(dy!, shapes.kept);
        return scale === 1
          ? broadcastTo(a, shape, dtype)
          : elementwise(`${name}_gradient`, "a * b", { a, b: scale }, { shape, dtype });
      },
    ],
    scale,
  );
}
