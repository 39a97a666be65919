import type { Tensor } from "../graph.ts";
import type { LossAndAccuracy } from "./cross-entropy-and-accuracy.ts";
import { applyTversky } from "./tversky-loss.ts";
import type { RegionLossOptions } from "./tversky-loss.ts";

/**
 * The soft Dice loss (Milletari et al. 2016, without their squares) of the softmax of `logits` `[N, .., classes]` and `labels`
 * `[N, ..]` (u32): of each class 1 − (2·Σ p·t + s) / (Σ p + Σ t + s), where the sums are over all pixels of the batch that count,
 * p is the probability, t the truth and s `smooth`, and the mean over the classes that are present in the batch's labels. 0 where the
 * prediction is perfect, and where no pixel counts. With the accuracy of `crossEntropyAndAccuracy`.
 *
 * The logits are read once for loss and accuracy and once for the gradient.
 *
 * @throws Error when the labels are not u32 or do not fit the logits, or a number is not in its range.
 */
export function diceLoss(
  logits: Tensor,
  labels: Tensor,
  { smooth = 0, ...options }: RegionLossOptions = {},
): LossAndAccuracy {
  // The Tversky loss of which both kinds of mistakes count half.
  return applyTversky("diceLoss", logits, labels, { alpha: 0.5, beta: 0.5, smooth: smooth / 2 }, options);
}
