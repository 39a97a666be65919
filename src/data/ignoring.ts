import { DataError } from "./data-error.ts";
import { IGNORE } from "./dataset.ts";
import type { SegmentationDataset } from "./dataset.ts";

/**
 * The data set as one some of whose pixels do not count, which augmentations that leave such pixels need.
 *
 * @throws DataError when {@link IGNORE} is one of its classes.
 */
export function ignoring(dataset: SegmentationDataset): SegmentationDataset {
  const { size, imageSize, resize, classNames, ignores, names } = dataset;
  if (ignores) return dataset;
  if (classNames.length > IGNORE) {
    throw new DataError(
      `With ${classNames.length} classes no number is left for pixels that come in from beyond a photo's borders: leave out the ` +
        "augmentations affine and elastic, give a --crop that --scale never makes larger than the photo, or merge classes with --label-map.",
    );
  }
  return {
    ...{ size, imageSize, resize, classNames, names },
    ignores: true,
    load: (index) => dataset.load(index),
  };
}
