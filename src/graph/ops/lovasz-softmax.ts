import { lovaszGradient } from "../../kernels/lovasz-gradient.ts";
import { clearHistogram, errorCounters, errorHistogram, ERRORS } from "../../kernels/lovasz-histogram.ts";
import {
  ERROR_BLOCKS,
  lovaszWeights,
  scanErrorBlocks,
  sumErrorBlocks,
} from "../../kernels/lovasz-weights.ts";
import type { Tensor } from "../graph.ts";
import { checkLabels, lastAxis } from "../lowering/last-axis.ts";
import { lowerSum } from "../lowering/lower-sum.ts";
import { lowerPixelMeans } from "../lowering/pixel-mean.ts";
import { batchSlice } from "../op.ts";
import type { Op } from "../op.ts";
import type { TensorType } from "../shape.ts";
import type { CountedMeanOptions, LossAndAccuracy, LossTypes } from "./cross-entropy-and-accuracy.ts";
import { pixelCount } from "./pixel-count.ts";

/** Which pixels count. */
export type LovaszSoftmaxOptions = Pick<CountedMeanOptions, "ignoreLabel">;

/**
 * The Lovász-Softmax loss (Berman et al. 2018, "The Lovász-Softmax loss: a tractable surrogate for the optimization of the
 * intersection-over-union measure") of the softmax of `logits` `[N, .., classes]` and `labels` `[N, ..]` (u32): the Lovász extension
 * of the Jaccard loss of each class over all pixels of the batch that count (the paper's code: `per_image=False`), and the mean over the
 * classes that are present in the batch's labels (`classes="present"`). 0 where no pixel counts. With the accuracy of
 * `crossEntropyAndAccuracy`.
 *
 * Instead of sorting the errors of each class they are counted in a histogram, rounded to multiples of 2⁻¹⁴. Of the rounded errors
 * the loss is exact, and within 2⁻¹⁵ of that of the errors themselves. The gradient is that of an order in which errors that round to
 * the same count as equal: a subgradient at the rounded errors, and exactly that of the errors where no two pixels share
 * one. Class by class 131,080 bytes are counted in and as many hold the weights.
 *
 * The logits are read once for loss and accuracy and once for the gradient.
 *
 * @throws Error when the labels are not u32 or do not fit the logits, or `ignoreLabel` is no u32.
 */
export function lovaszSoftmax(
  logits: Tensor,
  labels: Tensor,
  { ignoreLabel }: LovaszSoftmaxOptions = {},
): LossAndAccuracy {
  const { extent: classes, rowsPerItem } = lastAxis("lovaszSoftmax", logits);
  checkLabels("lovaszSoftmax", logits, labels);
  const batch = logits.shape[0];
  const counts = ignoreLabel === undefined ? undefined : pixelCount(labels, ignoreLabel);
  const scalar = { shape: [], dtype: "f32" } as const;

  const gradient = (dy: Tensor, weights: Tensor): Tensor => {
    const timesDy = dy.node?.op.constant !== 1;
    return logits.graph.apply(
      {
        name: "lovasz_softmax_gradient",
        family: "loss",
        outputs: [logits],
        lower(l, [dlogits]) {
          const inPlace = l.overwrites(logits, dlogits);
          const parts = { timesDy, inPlace, ignoreLabel };
          for (const range of l.slices([logits, labels])) {
            l.dispatch(lovaszGradient(l.target, range.count * rowsPerItem, classes, parts), {
              ...(!inPlace && { logits: batchSlice(logits, range) }),
              labels: batchSlice(labels, range),
              weights,
              ...(timesDy && { dy }),
              dlogits: batchSlice(dlogits, range),
            });
          }
        },
      },
      [logits, labels, weights, ...(timesDy ? [dy] : [])],
    ).outputs[0];
  };

  const op: Op<readonly [...LossTypes, TensorType]> = {
    name: "lovasz_softmax",
    family: "loss",
    outputs: [scalar, scalar, { shape: [classes, ERRORS, 2], dtype: "f32" }],
    lower(l, [loss, accuracy, weights]) {
      const correct = l.uses(accuracy);
      const histogram = l.scratch(4 * errorCounters(classes), "u32");
      l.dispatch(clearHistogram(l.target, classes), { histogram });
      lowerPixelMeans(
        l,
        correct ? { correct: accuracy } : {},
        batch,
        rowsPerItem,
        l.slices([logits, labels]),
        (values, range) => {
          const options = { correct, ignoreLabel };
          l.dispatch(errorHistogram(l.target, range.count * rowsPerItem, classes, options), {
            logits: batchSlice(logits, range),
            labels: batchSlice(labels, range),
            histogram,
            ...values,
          });
        },
        counts,
      );
      const blocks = classes * ERROR_BLOCKS;
      const [sums, above] = [l.scratch(8 * blocks, "u32"), l.scratch(8 * blocks, "u32")];
      const truths = l.scratch(4 * classes, "u32");
      const losses = l.scratch(4 * blocks);
      l.dispatch(sumErrorBlocks(l.target, classes), { histogram, sums });
      l.dispatch(scanErrorBlocks(l.target, classes), { sums, above, truths });
      l.dispatch(lovaszWeights(l.target, classes, counts ? null : batch * rowsPerItem), {
        histogram,
        above,
        truths,
        ...(counts && { counts }),
        losses,
        weights,
      });
      lowerSum(l, losses, 1, blocks, loss);
    },
    gradient([dy, ofAccuracy], [, , weights]) {
      if (!dy || ofAccuracy) throw new Error("lovaszSoftmax: only the loss has a gradient.");
      return [() => gradient(dy, weights)];
    },
  };
  const [loss, accuracy] = logits.graph.apply(op, [logits, labels, ...(counts ? [counts] : [])]).outputs;
  return { loss, accuracy };
}
