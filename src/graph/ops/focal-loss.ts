import type { Tensor } from "../graph.ts";
import { applyCrossEntropy } from "./cross-entropy-and-accuracy.ts";
import type { CrossEntropyOptions, LossAndAccuracy } from "./cross-entropy-and-accuracy.ts";

/** What the focal loss takes besides logits and labels. */
export interface FocalLossOptions extends Omit<CrossEntropyOptions, "labelSmoothing"> {
  /** The focusing parameter γ, from 0 up, 2 by default: how much less a pixel counts that is nearly right. 0 is the cross-entropy. */
  readonly gamma?: number | undefined;
}

/**
 * The focal loss (Lin et al. 2017, "Focal Loss for Dense Object Detection") of the softmax of `logits` `[N, .., classes]`: the
 * mean over pixels of (1 − p)^γ · −log p, where p is the probability of the pixel's label in `labels` `[N, ..]` (u32). Class
 * weights are the paper's α, a number for each class. With the `accuracy`, and everything else as in
 * `crossEntropyAndAccuracy`: one reading of the logits for loss, accuracy and gradient.
 *
 * @throws Error as `crossEntropyAndAccuracy` does, or when γ is negative.
 */
export function focalLoss(
  logits: Tensor,
  labels: Tensor,
  { gamma = 2, ...options }: FocalLossOptions = {},
): LossAndAccuracy {
  if (!(gamma >= 0 && Number.isFinite(gamma)))
    throw new Error(`focalLoss: gamma must be a number from 0 up, not ${gamma}.`);
  return applyCrossEntropy("focalLoss", logits, labels, { ...options, focusing: gamma });
}
