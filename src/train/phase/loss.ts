import type { TrainConfig } from "../../config/index.ts";
import { IGNORED_LABEL } from "../../data/batch.ts";
import type { Tensor } from "../../graph/graph.ts";
import { crossEntropyAndAccuracy } from "../../graph/ops/cross-entropy-and-accuracy.ts";
import type { LossAndAccuracy } from "../../graph/ops/cross-entropy-and-accuracy.ts";
import { diceLoss } from "../../graph/ops/dice-loss.ts";
import { focalLoss } from "../../graph/ops/focal-loss.ts";
import { lovaszSoftmax } from "../../graph/ops/lovasz-softmax.ts";
import { tverskyLoss } from "../../graph/ops/tversky-loss.ts";

/** The loss of a run, and the numbers that it takes; those of other losses mean nothing to it. */
export interface LossSpec {
  /** Which one. */
  readonly name: TrainConfig["loss"];
  /** Of the cross-entropies. */
  readonly labelSmoothing: number;
  /** γ of the focal loss. */
  readonly focalGamma: number;
  /** Of the Tversky loss: what false positives count. */
  readonly tverskyAlpha: number;
  /** Of the Tversky loss: what false negatives count. */
  readonly tverskyBeta: number;
}

const CROSS_ENTROPY: LossSpec = {
  name: "cross-entropy",
  labelSmoothing: 0,
  focalGamma: 2,
  tverskyAlpha: 0.3,
  tverskyBeta: 0.7,
};

/** The loss that a configuration asks for. */
export const lossSpec = (config: TrainConfig): LossSpec => ({
  name: config.loss,
  labelSmoothing: config.labelSmoothing,
  focalGamma: config.focalGamma,
  tverskyAlpha: config.tverskyAlpha,
  tverskyBeta: config.tverskyBeta,
});

/** What decides the loss of a network's programs. */
export interface Criterion {
  /** The cross-entropy by default. */
  readonly loss?: LossSpec | undefined;
  /** Whether pixels labelled `IGNORED_LABEL` are left out of loss and accuracy; all pixels count by default. */
  readonly ignores?: boolean | undefined;
}

/**
 * Loss and accuracy over the pixels of a batch that count, both scalars, of `logits` `[N, S, S, classes]` and `labels`
 * `[N, S, S]` (u32); both are 0 where none counts.
 *
 * @param options.classWeights f32 `[classes]`; only the cross-entropies and the focal loss take them.
 */
export function lossOf(
  { loss = CROSS_ENTROPY, ignores = false }: Criterion,
  logits: Tensor,
  labels: Tensor,
  { classWeights }: { readonly classWeights?: Tensor | undefined } = {},
): LossAndAccuracy {
  const ignoreLabel = ignores ? IGNORED_LABEL : undefined;
  const { labelSmoothing } = loss;
  switch (loss.name) {
    case "cross-entropy":
      return crossEntropyAndAccuracy(logits, labels, { classWeights, labelSmoothing, ignoreLabel });
    case "focal":
      return focalLoss(logits, labels, { classWeights, gamma: loss.focalGamma, ignoreLabel });
    case "dice":
      return diceLoss(logits, labels, { ignoreLabel });
    case "dice-cross-entropy":
      return diceLoss(logits, labels, { ignoreLabel, crossEntropy: { classWeights, labelSmoothing } });
    case "tversky":
      return tverskyLoss(logits, labels, { alpha: loss.tverskyAlpha, beta: loss.tverskyBeta, ignoreLabel });
    case "lovasz":
      return lovaszSoftmax(logits, labels, { ignoreLabel });
  }
}
