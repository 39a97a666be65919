import { clearConfusion, countConfusion } from "../../kernels/confusion-matrix.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { sameShape, shapeText, sizeOf } from "../shape.ts";

/** What is counted. */
export interface ConfusionMatrixOptions {
  /** Classes are the numbers below it. */
  readonly classes: number;
  /** Pixels with exactly this label are not counted (Keras `ignore_class`); all are by default. */
  readonly ignoreLabel?: number | undefined;
}

/**
 * How often each class was predicted as each (`tf.math.confusion_matrix`): of `labels` and `predictions`, both u32 `[N, ..]`,
 * pixels in u32 `[classes, classes]`, rows the truth, columns the prediction. Exact, and the same bits each time. It has no
 * gradient. The predictions are, for example, the `argmax` of logits.
 *
 * A pixel whose label or prediction is no class is not counted: the sum over all counts tells how many were.
 *
 * @throws Error when labels and predictions are not u32 of one shape, or `classes` is no whole number from 1 up.
 */
export function confusionMatrix(
  labels: Tensor,
  predictions: Tensor,
  { classes, ignoreLabel }: ConfusionMatrixOptions,
): Tensor<"u32"> {
  checkPixels(labels, predictions);
  if (!Number.isInteger(classes) || classes < 1)
    throw new Error(`confusionMatrix needs a whole number of classes from 1 up, not ${classes}.`);
  const pixelsPerItem = sizeOf(labels.shape.slice(1));
  return labels.graph.apply(
    {
      name: "confusion_matrix",
      family: "loss",
      outputs: [{ shape: [classes, classes], dtype: "u32" }],
      lower(l, [counts]) {
        l.dispatch(clearConfusion(l.target, classes), { counts });
        for (const range of l.slices([labels, predictions])) {
          l.dispatch(countConfusion(l.target, range.count * pixelsPerItem, classes, ignoreLabel), {
            labels: batchSlice(labels, range),
            predictions: batchSlice(predictions, range),
            counts,
          });
        }
      },
    },
    [labels, predictions],
  ).outputs[0];
}

function checkPixels(labels: Tensor, predictions: Tensor): void {
  const wrong = [labels, predictions].find(({ dtype, shape }) => dtype !== "u32" || shape.length === 0);
  if (!wrong && sameShape(labels.shape, predictions.shape)) return;
  const [truth, predicted] = [labels, predictions].map(
    ({ name, dtype, shape }) => `"${name}" is ${dtype} ${shapeText(shape)}`,
  );
  throw new Error(
    `confusionMatrix takes labels and predictions u32 [batch, ..] of one shape: ${truth} and ${predicted}.`,
  );
}
