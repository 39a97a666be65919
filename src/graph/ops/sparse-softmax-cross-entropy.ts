import {
  softmaxCrossEntropyBackward,
  softmaxCrossEntropyForward,
} from "../../kernels/softmax-cross-entropy.ts";
import type { Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import { checkLabels, lastAxis } from "./last-axis.ts";
import { lowerPixelMean, pixelMeanShape } from "./pixel-mean.ts";
import type { PixelMeanOptions } from "./pixel-mean.ts";

/**
 * Mean over all pixels of the cross-entropy between the softmax of `logits` `[N, .., classes]` and `labels` `[N, ..]`
 * (u32, class indices), no class ignored (Keras `SparseCategoricalCrossentropy(from_logits=True)`): a scalar, or with
 * `reduction: "per-image"` one mean an image, `[N]`, which has no gradient.
 *
 * Labels must be less than the number of classes, which the graph cannot check; a larger one counts as the last class.
 *
 * @throws Error when the labels are not u32 or do not fit the logits.
 */
export function sparseSoftmaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: PixelMeanOptions = {},
): Tensor {
  const { extent: classes, rowsPerItem } = lastAxis("sparseSoftmaxCrossEntropy", logits);
  checkLabels("sparseSoftmaxCrossEntropy", logits, labels);
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
          l.dispatch(softmaxCrossEntropyForward(l.target, range.count * rowsPerItem, classes), {
            logits: slice(logits, range),
            labels: slice(labels, range),
            losses,
            normalizers: slice(normalizers, range),
          });
        });
      },
      ...(shape.length === 0 && {
        gradient: ([dy], [, normalizers]) => [
          () => crossEntropyGradient(logits, labels, normalizers, dy!),
          null,
        ],
      }),
    },
    [logits, labels],
  ).outputs[0];
}

function crossEntropyGradient(logits: Tensor, labels: Tensor, normalizers: Tensor, dy: Tensor): Tensor {
  const { extent: classes, rowsPerItem } = lastAxis("sparseSoftmaxCrossEntropy", logits);
  const scale = 1 / (logits.shape[0] * rowsPerItem);
  return logits.graph.apply(
    {
      name: "sparse_softmax_cross_entropy_gradient",
      outputs: [logits],
      lower(l, [dlogits]) {
        for (const range of l.slices([logits, labels, normalizers, dlogits])) {
          l.dispatch(softmaxCrossEntropyBackward(l.target, range.count * rowsPerItem, classes, scale), {
            logits: slice(logits, range),
            labels: slice(labels, range),
            normalizers: slice(normalizers, range),
            dy,
            dlogits: slice(dlogits, range),
          });
        }
      },
    },
    [logits, labels, normalizers, dy],
  ).outputs[0];
}
