import type { Tensor } from "../graph.ts";
import { applyCrossEntropy } from "./cross-entropy-and-accuracy.ts";
import type { CrossEntropyOptions } from "./cross-entropy-and-accuracy.ts";

export type { CrossEntropyOptions as SparseSoftmaxCrossEntropyOptions } from "./cross-entropy-and-accuracy.ts";

/**
 * Mean over all pixels of the cross-entropy between the softmax of `logits` `[N, .., classes]` and `labels` `[N, ..]`
 * (u32, class indices), as Keras `SparseCategoricalCrossentropy(from_logits=True)`; `ignoreLabel` is its `ignore_class`. A
 * scalar, or with `reduction: "per-image"` one mean an image, `[N]`, which has no gradient. Where the accuracy is wanted
 * too, `crossEntropyAndAccuracy` gives both from one reading of the logits.
 *
 * Labels must be less than the number of classes or `ignoreLabel`, which the graph cannot check; a larger one counts as the
 * last class.
 *
 * @throws Error when the labels are not u32 or do not fit the logits, the weights are not one f32 a class, `ignoreLabel` is no
 *   u32, or the smoothing is not in [0, 1).
 */
export function sparseSoftmaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions = {},
): Tensor<"f32"> {
  return applyCrossEntropy("sparseSoftmaxCrossEntropy", logits, labels, options).loss;
}
