import { softmaxCrossEntropy } from "../../kernels/softmax-cross-entropy.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Op, Operand, Scratch } from "../op.ts";
import { sameShape, shapeText } from "../shape.ts";
import type { TensorType } from "../shape.ts";
import { checkLabels, lastAxis } from "../lowering/last-axis.ts";
import { lowerPixelMeans, pixelMeanShape } from "../lowering/pixel-mean.ts";
import type { PixelMeanOptions } from "../lowering/pixel-mean.ts";
import { pixelCount } from "./pixel-count.ts";

/** Which pixels count, and what their values are brought to. */
export interface CountedMeanOptions extends PixelMeanOptions {
  /**
   * Pixels with exactly this label do not count (Keras `ignore_class`): the mean is over the others, and 0 where there are
   * none. All count by default.
   */
  readonly ignoreLabel?: number | undefined;
}

export interface CrossEntropyOptions extends CountedMeanOptions {
  /**
   * What each pixel's loss is multiplied by, by its label: f32 `[classes]`, which has no gradient. The sum is still divided
   * by the number of pixels that count, not by that of the weights (Keras `class_weight`).
   */
  readonly classWeights?: Tensor | undefined;
  /**
   * A number in [0, 1), 0 by default: the truth is 1 − s of the label and s spread evenly over all classes (Keras
   * `label_smoothing`; Szegedy et al. 2016).
   */
  readonly labelSmoothing?: number | undefined;
}

/** Of a loss and an accuracy, the first outputs of the ops that make them. */
export type LossTypes = readonly [TensorType<"f32">, TensorType<"f32">];

/** What a loss over the pixels of a batch gives. */
export interface LossAndAccuracy {
  /** f32, a scalar; with `reduction: "per-image"` `[N]`. */
  readonly loss: Tensor<"f32">;
  /** Never weighted; it has no gradient. */
  readonly accuracy: Tensor<"f32">;
}

/**
 * The loss of `sparseSoftmaxCrossEntropy` and the `accuracy` of the same `logits` `[N, .., classes]` and `labels`
 * `[N, ..]` (u32, class indices), each a scalar or, with `reduction: "per-image"`, `[N]`. The logits are read once for
 * both and for the loss's gradient, which is computed where a program uses it.
 *
 * Labels must be less than the number of classes or `ignoreLabel`, which the graph cannot check; to the loss a larger one
 * counts as the last class, and it is never correct.
 *
 * @throws Error when the labels are not u32 or do not fit the logits, the weights are not one f32 a class, `ignoreLabel` is no
 *   u32, or the smoothing is not in [0, 1).
 */
export function crossEntropyAndAccuracy(
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions = {},
): LossAndAccuracy {
  return applyCrossEntropy("crossEntropyAndAccuracy", logits, labels, options);
}

/** {@link crossEntropyAndAccuracy} for an op that error messages call `name`, or the focal loss where `focusing` is above 0. */
export function applyCrossEntropy(
  name: string,
  logits: Tensor,
  labels: Tensor,
  { focusing = 0, ...options }: CrossEntropyOptions & { readonly focusing?: number },
): LossAndAccuracy {
  const { extent: classes, rowsPerItem } = lastAxis(name, logits);
  checkLabels(name, logits, labels);
  const { classWeights, ignoreLabel, labelSmoothing = 0 } = options;
  if (classWeights) checkWeights(name, classWeights, classes);
  checkSmoothing(name, labelSmoothing);
  const batch = logits.shape[0];
  const mean = { shape: pixelMeanShape(options, batch), dtype: "f32" } as const;
  const counts = ignoreLabel === undefined ? undefined : pixelCount(labels, ignoreLabel, options);
  const inputs = [logits, labels, ...(classWeights ? [classWeights] : []), ...(counts ? [counts] : [])];
  const weighted = classWeights !== undefined;
  const kind = { weighted, ignoreLabel, labelSmoothing, focusing };
  const gradientScale = counts ? 1 : 1 / (batch * rowsPerItem);
  const operands = (range: BatchRange, inPlace: boolean, dlogits?: Tensor): Record<string, Operand> => ({
    ...(!inPlace && { logits: batchSlice(logits, range) }),
    labels: batchSlice(labels, range),
    ...(classWeights && { classWeights }),
    ...(dlogits && { dlogits: batchSlice(dlogits, range) }),
    ...(dlogits && counts && { counts }),
  });
  /** The gradient where dy is known only when the program runs: multiplied before it is rounded to what logits are stored in. */
  const gradientTimes = (dy: Tensor): Tensor =>
    logits.graph.apply(
      {
        name: "softmax_cross_entropy_gradient",
        family: "loss",
        outputs: [logits],
        lower(l, [dlogits]) {
          const inPlace = l.overwrites(logits, dlogits);
          const parts = { ...kind, inPlace, gradientScale, timesDy: true };
          for (const range of l.slices([logits, labels])) {
            const kernel = softmaxCrossEntropy(l.target, range.count * rowsPerItem, classes, parts);
            l.dispatch(kernel, { ...operands(range, inPlace, dlogits), dy });
          }
        },
      },
      [...inputs, dy],
    ).outputs[0];
  const op: Op<readonly [...LossTypes, TensorType]> = {
    name: "softmax_cross_entropy",
    family: "loss",
    outputs: [mean, mean, logits],
    lower(l, [loss, accuracy, dlogits]) {
      const losses = l.uses(loss);
      const correct = l.uses(accuracy);
      const gradient = l.uses(dlogits);
      const inPlace = gradient && l.overwrites(logits, dlogits);
      const parts = { ...kind, losses, correct, inPlace, ...(gradient && { gradientScale }) };
      const means = { ...(losses && { losses: loss }), ...(correct && { correct: accuracy }) };
      const fill = (values: Record<string, Scratch>, range: BatchRange): void => {
        l.dispatch(softmaxCrossEntropy(l.target, range.count * rowsPerItem, classes, parts), {
          ...operands(range, inPlace, gradient ? dlogits : undefined),
          ...values,
        });
      };
      lowerPixelMeans(l, means, batch, rowsPerItem, l.slices([logits, labels]), fill, counts);
    },
    ...(mean.shape.length === 0 && {
      gradient([dy, ...others], [, , dlogits]) {
        if (!dy || others.some((other) => other)) {
          throw new Error(`${name}: only the ${focusing > 0 ? "loss" : "cross-entropy"} has a gradient.`);
        }
        // Of the loss itself dy is 1, and the gradient has been made along with it.
        return [() => (dy.node?.op.constant === 1 ? dlogits : gradientTimes(dy))];
      },
    }),
  };
  const [loss, accuracy] = logits.graph.apply(op, inputs).outputs;
  return { loss, accuracy };
}

/** @throws Error when it is not in [0, 1). */
export function checkSmoothing(op: string, labelSmoothing: number): void {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new Error(`${op}: the label smoothing must be at least 0 and below 1, not ${labelSmoothing}.`);
}

/** @throws Error when it is not f32 `[classes]`. */
export function checkWeights(op: string, { name, dtype, shape }: Tensor, classes: number): void {
  if (dtype !== "f32" || !sameShape(shape, [classes])) {
    throw new Error(
      `${op}: the class weights must be f32 [${classes}]; "${name}" is ${dtype} ${shapeText(shape)}.`,
    );
  }
}
