import type { Tensor } from "../graph.ts";
import { applyCrossEntropy } from "./cross-entropy-and-accuracy.ts";
import type { CountedMeanOptions } from "./cross-entropy-and-accuracy.ts";

/**
 * Share of pixels whose largest of `logits` `[N, .., classes]` is that of their label in `labels` `[N, ..]` (u32), as
 * Keras `SparseCategoricalAccuracy`: a scalar, or with `reduction: "per-image"` one share an image, `[N]`. Pixels of
 * `ignoreLabel` do not count. It has no gradient.
 *
 * @throws Error when the labels are not u32 or do not fit the logits.
 */
export function accuracy(logits: Tensor, labels: Tensor, options: CountedMeanOptions = {}): Tensor<"f32"> {
  return applyCrossEntropy("accuracy", logits, labels, options).accuracy;
}
