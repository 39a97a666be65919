import type { ConfusionMatrix } from "./metrics.ts";
import type { PhotoScores } from "./photo-scores.ts";

/** What a network did on some photos. */
export interface Evaluation {
  /** Mean over the batches, each weighed by its pixels that count: of the cross-entropy, the mean over all these pixels. */
  readonly loss: number;
  /** Share of pixels whose likeliest class is the right one. */
  readonly accuracy: number;
  /** Mean intersection over union of the classes that occur in the truth. */
  readonly meanIou: number;
  /** Mean Dice coefficient (F1) of the same classes. */
  readonly meanDice: number;
  /** IoU of each class weighed by its true pixels. */
  readonly frequencyWeightedIou: number;
  /** Share of pixels of class 0: the accuracy of predicting background everywhere on the same photos. */
  readonly backgroundAccuracy: number;
  /** Photos seen. */
  readonly count: number;
  /** Pixels of each class and what they were taken for. */
  readonly confusion: ConfusionMatrix;
  /** Of the first photos, as many as were asked for: the likeliest class of each pixel, `[S, S]`. */
  readonly predictions: readonly Uint8Array[];
  /** What each photo came to. */
  readonly scores: PhotoScores;
}
