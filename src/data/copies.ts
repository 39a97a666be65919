import { AUGMENTATIONS } from "./augment/registry.ts";
import type { AugmentationName, AugmentationOptions } from "./augment/registry.ts";
import { DataError } from "./data-error.ts";
import type { SegmentationDataset } from "./dataset.ts";
import { DEFAULT_CACHE_BYTES, SampleCache } from "./sample-cache.ts";

export interface CopyOptions extends AugmentationOptions {
  /** Bytes of augmented samples to keep in memory; 1 GiB unless told otherwise. */
  readonly cacheBytes?: number;
}

/**
 * The concatenation of one full copy of a data set for each name, in that order: sample `copy · n + i` is sample i
 * under augmentation `names[copy]`, called "0001 (hue)". The tutorial trains on the copies "original",
 * "brightness", "gamma", "hue", "crop", "flip_left_right", "flip_up_down" (`tf.data.Dataset.concatenate`).
 */
export function copies(
  dataset: SegmentationDataset,
  names: readonly AugmentationName[],
  options: CopyOptions = {},
): SegmentationDataset {
  const { imageSize, classNames, size: n } = dataset;
  const size = names.length * n;
  const cache = new SampleCache(
    async (index) => AUGMENTATIONS[names[Math.floor(index / n)]](await dataset.load(index % n), options),
    imageSize,
    options.cacheBytes ?? DEFAULT_CACHE_BYTES,
  );
  return {
    size,
    imageSize,
    classNames,
    names: names.flatMap((name) =>
      name === "original" ? dataset.names : dataset.names.map((of) => `${of} (${name})`),
    ),
    load: async (index) => {
      if (!(Number.isInteger(index) && index >= 0 && index < size)) {
        throw new DataError(`There is no photo ${index} among ${size}.`);
      }
      // The data set keeps its own samples.
      return names[Math.floor(index / n)] === "original" ? dataset.load(index % n) : cache.load(index);
    },
  };
}
