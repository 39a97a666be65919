import { mapConcurrently } from "./concurrency.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import { normalize } from "./normalize.ts";
import type { Normalization } from "./normalize.ts";

/** N samples side by side. */
export interface Batch {
  /** `[N, size, size, 3]`, RGB, normalized. */
  images: Float32Array<ArrayBuffer>;
  /** `[N, size, size]`, the class of each pixel. */
  labels: Uint32Array<ArrayBuffer>;
  /** How many samples count; those after them only fill the batch up. */
  count: number;
  /** The data set's index of each of the N samples. */
  indices: readonly number[];
}

export interface BatchAssembly {
  /** How many samples count; all unless told otherwise. */
  readonly count?: number;
  /** Sees each sample and its place in the batch. */
  readonly prepare?: (sample: Sample, position: number) => Sample;
  /** What is done to pixels last of all; nothing ("unit") unless told otherwise. */
  readonly normalization?: Normalization | undefined;
}

/** Loads samples and lays them out as a batch. */
export async function assembleBatch(
  dataset: SegmentationDataset,
  indices: readonly number[],
  { count = indices.length, prepare = (sample) => sample, normalization = "unit" }: BatchAssembly = {},
): Promise<Batch> {
  const pixels = dataset.imageSize ** 2;
  const images = new Float32Array(indices.length * pixels * 3);
  const labels = new Uint32Array(indices.length * pixels);
  await mapConcurrently(indices, async (index, position) => {
    const sample = prepare(await dataset.load(index), position);
    normalize(
      sample.image,
      normalization,
      images.subarray(position * pixels * 3, (position + 1) * pixels * 3),
    );
    labels.set(sample.mask, position * pixels);
  });
  return { images, labels, count, indices };
}
