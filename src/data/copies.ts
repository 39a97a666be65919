import { FIXED_AUGMENTATIONS } from "./augment/fixed.ts";
import type { AugmentationOptions, FixedName } from "./augment/fixed.ts";
import { DataError } from "./data-error.ts";
import type { RecipeDataset } from "./recipe.ts";
import type { SegmentationDataset } from "./dataset.ts";
import { DEFAULT_CACHE_BYTES, SampleCache } from "./sample-cache.ts";

export interface CopyOptions extends AugmentationOptions {
  /** Bytes of augmented samples to keep in memory; 1 GiB by default. */
  readonly cacheBytes?: number;
}

/**
 * The concatenation of one full copy of a data set for each name, in that order: sample `copy · n + i` is sample i
 * under augmentation `names[copy]`, called "0001 (hue)". The tutorial trains on the copies "original",
 * "brightness", "gamma", "hue", "crop", "flip_left_right", "flip_up_down" (`tf.data.Dataset.concatenate`).
 */
export function copies(
  dataset: SegmentationDataset,
  names: readonly FixedName[],
  options: CopyOptions = {},
): RecipeDataset {
  const { imageSize, resize, classNames, ignores, size: n } = dataset;
  const size = names.length * n;
  const { cacheBytes = DEFAULT_CACHE_BYTES, ...strengths } = options;
  const nameOf = (index: number): FixedName => {
    if (!(Number.isInteger(index) && index >= 0 && index < size)) {
      throw new DataError(`There is no photo ${index} among ${size}.`);
    }
    return names[Math.floor(index / n)];
  };
  const cache = new SampleCache(
    async (index) => FIXED_AUGMENTATIONS[nameOf(index)](await dataset.load(index % n), strengths),
    imageSize,
    cacheBytes,
  );
  return {
    size,
    imageSize,
    resize,
    classNames,
    ignores,
    names: names.flatMap((name) =>
      name === "original" ? dataset.names : dataset.names.map((of) => `${of} (${name})`),
    ),
    // The data set keeps its own samples.
    load: async (index) => (nameOf(index) === "original" ? dataset.load(index % n) : cache.load(index)),
    recipe: async (index) => {
      const name = nameOf(index);
      const kept = cache.kept(index);
      if (kept !== undefined) return { sample: await kept, steps: { names: [] } };
      const sample = await dataset.load(index % n);
      if (name === "original") return { sample, steps: { names: [] } };
      return { sample, steps: { names: [name], options: strengths }, wanted: cache.hasRoom };
    },
    keep: (index, sample) => cache.keep(index, sample),
  };
}
