import { IGNORE } from "../data/dataset.ts";
import type { SegmentationDataset } from "../data/dataset.ts";

/**
 * A weight for each class from how many pixels of the photos it has: scikit-learn's `compute_class_weight("balanced")`,
 * `pixels / (classes present · pixels of the class)`, or its square root, scaled so that the mean weight of a pixel is 1.
 * A class that does not occur has weight 0; pixels that do not count are no class's.
 */
export async function classWeights(
  photos: SegmentationDataset,
  kind: "balanced" | "sqrt",
): Promise<Float32Array> {
  const counts = new Float64Array(photos.classNames.length);
  for (let index = 0; index < photos.size; index++) {
    const { mask } = await photos.load(index);
    for (const label of mask) if (!photos.ignores || label !== IGNORE) counts[label] += 1;
  }
  return weightsOf(counts, kind);
}

/** See {@link classWeights}. */
export function weightsOf(counts: ArrayLike<number>, kind: "balanced" | "sqrt"): Float32Array {
  const pixels = Array.from(counts).reduce((a, b) => a + b, 0);
  const present = Array.from(counts).filter((count) => count > 0).length;
  const weights = Float64Array.from(counts, (count) => {
    const balanced = count === 0 ? 0 : pixels / (present * count);
    return kind === "balanced" ? balanced : Math.sqrt(balanced);
  });
  const mean = weights.reduce((sum, weight, label) => sum + weight * counts[label], 0) / pixels;
  return Float32Array.from(weights, (weight) => weight / mean);
}
