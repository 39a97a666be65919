import { readFile } from "node:fs/promises";
import { isWeighting } from "../config/index.ts";
import type { TrainConfig, Weighting } from "../config/index.ts";
import { IGNORE } from "../data/dataset.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { readClassWeights } from "./class-weights-file.ts";

/**
 * A weight for each class: from a file, or from how many pixels of the photos it has.
 *
 * @param setting `--class-weights`, not none.
 * @throws ConfigError when the file cannot be used.
 */
export async function classWeights(photos: SegmentationDataset, setting: string): Promise<Float32Array> {
  if (!isWeighting(setting)) return readClassWeights(setting, photos.classNames);
  return weightsOf(await classPixels(photos), setting);
}

/** How many pixels of the photos each class has; those that do not count are no class's. */
export async function classPixels(photos: SegmentationDataset): Promise<Float64Array> {
  const counts = new Float64Array(photos.classNames.length);
  for (let index = 0; index < photos.size; index++) {
    const { mask } = await photos.load(index);
    for (const label of mask) if (!photos.ignores || label !== IGNORE) counts[label] += 1;
  }
  return counts;
}

/**
 * Reads a file of class weights, where there is to be one, before anything that takes longer.
 *
 * @throws ConfigError when it cannot be used.
 */
export async function checkClassWeights(
  { classWeights: setting }: Pick<TrainConfig, "classWeights">,
  classNames: readonly string[],
): Promise<void> {
  if (setting !== "none" && !isWeighting(setting)) await readClassWeights(setting, classNames);
}

/**
 * The weights of a run's classes: of one that goes on those it began with, as a file may have changed since.
 *
 * @returns null where all classes count alike.
 * @throws ConfigError when the file of weights cannot be used.
 */
export async function decideClassWeights(
  { classWeights: setting }: Pick<TrainConfig, "classWeights">,
  photos: SegmentationDataset,
  resume?: RunFolder,
): Promise<Float32Array | null> {
  if (setting === "none") return null;
  const kept = resume && (await readKept(resume.classWeights));
  if (kept?.length === photos.classNames.length) return kept;
  return classWeights(photos, setting);
}

/** Null where there are none, or they are damaged and to be made anew. */
async function readKept(file: string): Promise<Float32Array | null> {
  try {
    const weights: unknown = JSON.parse(await readFile(file, "utf8"));
    return Array.isArray(weights) && weights.every(Number.isFinite) ? Float32Array.from(weights) : null;
  } catch {
    return null;
  }
}

/**
 * Weights from pixels a class. `balanced`: scikit-learn's `compute_class_weight("balanced")`,
 * `pixels / (classes present · pixels of the class)`; `sqrt`: its square root; both scaled so that the mean weight of a pixel is 1, and 0
 * for a class that does not occur. `enet`: 1 / ln(1.02 + share of the pixels) as it is (Paszke et al. 2016), 50 for a class
 * that does not occur.
 */
export function weightsOf(counts: ArrayLike<number>, kind: Weighting): Float32Array {
  const pixels = Array.from(counts).reduce((a, b) => a + b, 0);
  if (kind === "enet") return Float32Array.from(counts, (count) => 1 / Math.log(1.02 + count / pixels));
  const present = Array.from(counts).filter((count) => count > 0).length;
  const weights = Float64Array.from(counts, (count) => {
    const balanced = count === 0 ? 0 : pixels / (present * count);
    return kind === "balanced" ? balanced : Math.sqrt(balanced);
  });
  const mean = weights.reduce((sum, weight, label) => sum + weight * counts[label], 0) / pixels;
  return Float32Array.from(weights, (weight) => weight / mean);
}
