import { softmaxRegionGradient } from "../../kernels/region-gradient.ts";
import { REGION_SUMS, regionPartials, softmaxRegionSums } from "../../kernels/region-sums.ts";
import { addRegionSums, tverskyLosses } from "../../kernels/tversky.ts";
import type { TverskyWeights } from "../../kernels/tversky.ts";
import type { Tensor } from "../graph.ts";
import { checkLabels, lastAxis } from "../lowering/last-axis.ts";
import { lowerSum } from "../lowering/lower-sum.ts";
import { lowerPixelMeans } from "../lowering/pixel-mean.ts";
import { batchSlice } from "../op.ts";
import type { Op } from "../op.ts";
import type { TensorType } from "../shape.ts";
import { add } from "./add.ts";
import { checkSmoothing, checkWeights } from "./cross-entropy-and-accuracy.ts";
import type { CrossEntropyOptions, LossAndAccuracy, LossTypes } from "./cross-entropy-and-accuracy.ts";
import { pixelCount } from "./pixel-count.ts";

/** What all losses on regions take. */
export interface RegionLossOptions {
  /** Pixels with exactly this label do not count; all do by default. */
  readonly ignoreLabel?: number | undefined;
  /** Added to both sides of each class's fraction; 0 by default, as no class that is present divides by 0. */
  readonly smooth?: number | undefined;
  /** Adds the cross-entropy, from the same readings of the logits; weights and smoothing are its own. */
  readonly crossEntropy?: Pick<CrossEntropyOptions, "classWeights" | "labelSmoothing"> | undefined;
}

export interface TverskyLossOptions extends RegionLossOptions {
  /** What a false positive counts, from 0 up; 0.3 by default. */
  readonly alpha?: number | undefined;
  /** What a false negative counts, above 0; 0.7 by default. */
  readonly beta?: number | undefined;
}

/**
 * The Tversky loss (Salehi et al. 2017, "Tversky loss function for image segmentation using 3D fully convolutional deep
 * networks") of the softmax of `logits` `[N, .., classes]` and `labels` `[N, ..]` (u32): of each class 1 − TP / (TP + α·FP + β·FN), where
 * the counts are soft, sums of probabilities over all pixels of the batch that count, and the mean over the classes that are present in
 * the batch's labels. 0 where the prediction is perfect, and where no pixel counts. With the accuracy of `crossEntropyAndAccuracy`.
 *
 * The logits are read once for loss and accuracy and once for the gradient.
 *
 * @throws Error when the labels are not u32 or do not fit the logits, or a number is not in its range.
 */
export function tverskyLoss(
  logits: Tensor,
  labels: Tensor,
  { alpha = 0.3, beta = 0.7, smooth = 0, ...options }: TverskyLossOptions = {},
): LossAndAccuracy {
  if (!(alpha >= 0 && Number.isFinite(alpha)))
    throw new Error(`tverskyLoss: alpha must be a number from 0 up, not ${alpha}.`);
  if (!(beta > 0 && Number.isFinite(beta)))
    throw new Error(`tverskyLoss: beta must be a number above 0, not ${beta}.`);
  return applyTversky("tverskyLoss", logits, labels, { alpha, beta, smooth }, options);
}

/** {@link tverskyLoss} for an op that error messages call `name`. */
export function applyTversky(
  name: string,
  logits: Tensor,
  labels: Tensor,
  weights: TverskyWeights,
  { ignoreLabel, crossEntropy }: Omit<RegionLossOptions, "smooth">,
): LossAndAccuracy {
  const { extent: classes, rowsPerItem } = lastAxis(name, logits);
  checkLabels(name, logits, labels);
  if (!(weights.smooth >= 0 && Number.isFinite(weights.smooth)))
    throw new Error(`${name}: smooth must be a number from 0 up, not ${weights.smooth}.`);
  const { classWeights, labelSmoothing = 0 } = crossEntropy ?? {};
  if (classWeights) checkWeights(name, classWeights, classes);
  checkSmoothing(name, labelSmoothing);
  const batch = logits.shape[0];
  const counts = ignoreLabel === undefined ? undefined : pixelCount(labels, ignoreLabel);
  const others = [...(classWeights ? [classWeights] : []), ...(counts ? [counts] : [])];
  const kind = { weighted: classWeights !== undefined, labelSmoothing, ignoreLabel };
  const scalar = { shape: [], dtype: "f32" } as const;

  const gradient = (dy: Tensor, slopes: Tensor): Tensor => {
    const timesDy = dy.node?.op.constant !== 1;
    const crossEntropyScale = crossEntropy && (counts ? 1 : 1 / (batch * rowsPerItem));
    return logits.graph.apply(
      {
        name: "region_loss_gradient",
        family: "loss",
        outputs: [logits],
        lower(l, [dlogits]) {
          const inPlace = l.overwrites(logits, dlogits);
          const parts = { ...kind, crossEntropyScale, timesDy, inPlace };
          for (const range of l.slices([logits, labels])) {
            l.dispatch(softmaxRegionGradient(l.target, range.count * rowsPerItem, classes, parts), {
              ...(!inPlace && { logits: batchSlice(logits, range) }),
              labels: batchSlice(labels, range),
              slopes,
              ...(classWeights && { classWeights }),
              ...(crossEntropy && counts && { counts }),
              ...(timesDy && { dy }),
              dlogits: batchSlice(dlogits, range),
            });
          }
        },
      },
      [logits, labels, slopes, ...others, ...(timesDy ? [dy] : [])],
    ).outputs[0];
  };

  const op: Op<readonly [...LossTypes, TensorType<"f32">, TensorType]> = {
    name: "region_loss",
    family: "loss",
    outputs: [scalar, scalar, scalar, { shape: [2, classes], dtype: "f32" }],
    lower(l, [loss, accuracy, entropy, slopes]) {
      const losses = l.uses(entropy);
      const correct = l.uses(accuracy);
      const means = { ...(losses && { losses: entropy }), ...(correct && { correct: accuracy }) };
      const partials = regionPartials(rowsPerItem);
      const images = l.scratch(4 * batch * REGION_SUMS * classes);
      const ranges = l.slices([logits, labels]);
      lowerPixelMeans(
        l,
        means,
        batch,
        rowsPerItem,
        ranges,
        (values, range) => {
          const rows = range.count * REGION_SUMS * classes;
          const sums = l.scratch(4 * rows * partials);
          const parts = { ...kind, losses, correct };
          l.dispatch(softmaxRegionSums(l.target, range.count, rowsPerItem, classes, parts), {
            logits: batchSlice(logits, range),
            labels: batchSlice(labels, range),
            ...(losses && classWeights && { classWeights }),
            ...values,
            sums,
          });
          lowerSum(l, sums, rows, partials, images, { begin: range.first * REGION_SUMS * classes });
        },
        counts,
      );
      const totals = l.scratch(4 * REGION_SUMS * classes);
      l.dispatch(addRegionSums(l.target, batch, classes), { sums: images, totals });
      const perClass = l.scratch(4 * classes);
      l.dispatch(tverskyLosses(l.target, classes, weights), { totals, losses: perClass, slopes });
      lowerSum(l, perClass, 1, classes, loss);
    },
    gradient([dy, ofAccuracy], [, , , slopes]) {
      if (!dy || ofAccuracy) throw new Error(`${name}: only the loss has a gradient.`);
      // The cross-entropy is only ever added to the loss, so its dy is the same.
      return [() => gradient(dy, slopes)];
    },
  };
  const [loss, accuracy, entropy] = logits.graph.apply(op, [logits, labels, ...others]).outputs;
  return { loss: crossEntropy ? add(loss, entropy) : loss, accuracy };
}
