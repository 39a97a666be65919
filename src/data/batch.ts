import { mapConcurrently } from "./concurrency.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";

/** N samples side by side. */
export interface Batch {
  /** `[N, size, size, 3]`, RGB in [0, 1]. */
  images: Float32Array<ArrayBuffer>;
  /** `[N, size, size]`, the class of each pixel. */
  labels: Uint32Array<ArrayBuffer>;
  /** How many samples count; those after them only fill the batch up. */
  count: number;
  /** The data set's index of each of the N samples. */
  indices: readonly number[];
}

/** Loads samples and lays them out as a batch. `prepare` sees each sample and its place in the batch. */
export async function assembleBatch(
  dataset: SegmentationDataset,
  indices: readonly number[],
  count: number = indices.length,
  prepare: (sample: Sample, position: number) => Sample = (sample) => sample,
): Promise<Batch> {
  const pixels = dataset.imageSize ** 2;
  const images = new Float32Array(indices.length * pixels * 3);
  const labels = new Uint32Array(indices.length * pixels);
  await mapConcurrently(indices, async (index, position) => {
    const sample = prepare(await dataset.load(index), position);
    images.set(sample.image, position * pixels * 3);
    labels.set(sample.mask, position * pixels);
  });
  return { images, labels, count, indices };
}
