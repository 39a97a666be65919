import {
  softmaxCrossEntropyBackward,
  softmaxCrossEntropyForward,
} from "../../kernels/softmax-cross-entropy.ts";
import type { Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import { sameShape, shapeText } from "../shape.ts";
import { checkLabels, lastAxis } from "./last-axis.ts";
import { lowerPixelMean, pixelMeanShape } from "./pixel-mean.ts";
import type { PixelMeanOptions } from "./pixel-mean.ts";

export interface SparseSoftmaxCrossEntropyOptions extends PixelMeanOptions {
  /**
   * What each pixel's loss is multiplied by, by its label: f32 `[classes]`, a constant to the gradient. The sum is still
   * divided by the number of pixels, not by that of the weights (Keras `class_weight`).
   */
  readonly classWeights?: Tensor;
}

/**
 * Mean over all pixels of the cross-entropy between the softmax of `logits` `[N, .., classes]` and `labels` `[N, ..]`
 * (u32, class indices), no class ignored (Keras `SparseCategoricalCrossentropy(from_logits=True)`): a scalar, or with
 * `reduction: "per-image"` one mean an image, `[N]`, which has no gradient.
 *
 * Labels must be less than the number of classes, which the graph cannot check; a larger one counts as the last class.
 *
 * @throws Error when the labels are not u32 or do not fit the logits, or the weights are not one f32 a class.
 */
export function sparseSoftmaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: SparseSoftmaxCrossEntropyOptions = {},
): Tensor {
  const { extent: classes, rowsPerItem } = lastAxis("sparseSoftmaxCrossEntropy", logits);
  checkLabels("sparseSoftmaxCrossEntropy", logits, labels);
  const { classWeights } = options;
  if (classWeights) checkWeights(classWeights, classes);
  const batch = logits.shape[0];
  const shape = pixelMeanShape(options, batch);
  return logits.graph.apply(
    {
      name: "sparse_softmax_cross_entropy",
      outputs: [
        { shape, dtype: "f32" },
        { shape: [...labels.shape, 2], dtype: "f32" },
      ],
      lower(l, [y, normalizers]) {
        const ranges = l.slices([logits, labels, normalizers]);
        lowerPixelMean(l, y, batch, rowsPerItem, ranges, (losses, range) => {
          const pixels = range.count * rowsPerItem;
          const kernel = softmaxCrossEntropyForward(l.target, pixels, classes, { weighted: !!classWeights });
          l.dispatch(kernel, {
            logits: slice(logits, range),
            labels: slice(labels, range),
            ...(classWeights && { classWeights }),
            losses,
            normalizers: slice(normalizers, range),
          });
        });
      },
      ...(shape.length === 0 && {
        gradient: ([dy], [, normalizers]) => [
          () => crossEntropyGradient(logits, labels, normalizers, dy!, classWeights),
          null,
          null,
        ],
      }),
    },
    [logits, labels, ...(classWeights ? [classWeights] : [])],
  ).outputs[0];
}

function checkWeights({ name, dtype, shape }: Tensor, classes: number): void {
  if (dtype !== "f32" || !sameShape(shape, [classes])) {
    throw new Error(
      `sparseSoftmaxCrossEntropy: the class weights must be f32 [${classes}]; "${name}" is ${dtype} ${shapeText(shape)}.`,
    );
  }
}

function crossEntropyGradient(
  logits: Tensor,
  labels: Tensor,
  normalizers: Tensor,
  dy: Tensor,
  classWeights?: Tensor,
): Tensor {
  const { extent: classes, rowsPerItem } = lastAxis("sparseSoftmaxCrossEntropy", logits);
  const scale = 1 / (logits.shape[0] * rowsPerItem);
  const options = { weighted: !!classWeights };
  return logits.graph.apply(
    {
      name: "sparse_softmax_cross_entropy_gradient",
      outputs: [logits],
      lower(l, [dlogits]) {
        for (const range of l.slices([logits, labels, normalizers, dlogits])) {
          const pixels = range.count * rowsPerItem;
          l.dispatch(softmaxCrossEntropyBackward(l.target, pixels, classes, scale, options), {
            logits: slice(logits, range),
            labels: slice(labels, range),
            normalizers: slice(normalizers, range),
            dy,
            ...(classWeights && { classWeights }),
            dlogits: slice(dlogits, range),
          });
        }
      },
    },
    [logits, labels, normalizers, dy, ...(classWeights ? [classWeights] : [])],
  ).outputs[0];
}
