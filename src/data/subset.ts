import type { SegmentationDataset } from "./dataset.ts";

/** The samples of `dataset` that `indices` names, in that order, as a data set of their own. */
export function subset(dataset: SegmentationDataset, indices: readonly number[]): SegmentationDataset {
  const { imageSize, resize, classNames, ignores, names } = dataset;
  return {
    size: indices.length,
    imageSize,
    resize,
    classNames,
    ignores,
    names: indices.map((index) => names[index]),
    load: (index) => dataset.load(indices[index]),
    atOwnSize: dataset.atOwnSize && ((index) => dataset.atOwnSize!(indices[index])),
  };
}
