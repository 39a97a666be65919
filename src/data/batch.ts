import { mapConcurrently } from "./concurrency.ts";
import { IGNORE } from "./dataset.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import { normalize } from "./normalize.ts";
import type { Normalization } from "./normalize.ts";
import type { Size } from "./resize.ts";

/** The label of a pixel that does not count; no class has it. */
export const IGNORED_LABEL = 0xffffffff;

/** The numbers of N samples side by side. */
export interface BatchArrays {
  /** `[N, height, width, 3]`, RGB, normalized. */
  images: Float32Array<ArrayBuffer>;
  /** `[N, height, width]`, the class of each pixel; 2³² − 1 where it does not count. */
  labels: Uint32Array<ArrayBuffer>;
}

/** N samples side by side. */
export interface Batch extends BatchArrays {
  /** How many samples count; those after them only fill the batch up, and none of their pixels counts. */
  count: number;
  /** The data set's index of each of the N samples. */
  indices: readonly number[];
}

/** How samples become a batch. */
export interface BatchAssembly {
  /** How many samples count; all by default. */
  readonly count?: number;
  /** Sees each sample and its place in the batch. */
  readonly prepare?: (sample: Sample, position: number) => Sample | Promise<Sample>;
  /** What is done to pixels last of all; nothing ("unit") by default. */
  readonly normalization?: Normalization | undefined;
  /** Of the samples when they are prepared; the data set's by default. */
  readonly imageSize?: Size | undefined;
  /** Arrays to write into, of the batch's size; new ones unless given. */
  readonly into?: BatchArrays | undefined;
}

/**
 * Loads samples and lays them out as a batch.
 *
 * @throws DataError (as a rejection) when the files of a sample cannot be used.
 */
export async function assembleBatch(
  dataset: SegmentationDataset,
  indices: readonly number[],
  options: BatchAssembly = {},
): Promise<Batch> {
  const { count = indices.length, prepare = (sample) => sample, normalization = "unit", into } = options;
  const { imageSize = dataset.imageSize } = options;
  const batch = into ?? emptyBatch(indices.length, imageSize);
  await mapConcurrently(indices, async (index, position) => {
    putSample(batch, position, await prepare(await dataset.load(index), position), {
      normalization,
      ignores: dataset.ignores,
    });
  });
  batch.labels.fill(IGNORED_LABEL, count * pixelsOf(imageSize));
  return { ...batch, count, indices };
}

const pixelsOf = ({ height, width }: Size): number => height * width;

/** Room for `n` samples. */
export function emptyBatch(n: number, imageSize: Size): BatchArrays {
  const pixels = n * pixelsOf(imageSize);
  return { images: new Float32Array(3 * pixels), labels: new Uint32Array(pixels) };
}

/**
 * Arrays of batches that are done with. New ones are megabytes whose pages the kernel has to clear, and soon garbage: a
 * collection every few batches.
 */
export class SpareArrays {
  readonly #spare: BatchArrays[] = [];

  /** Takes arrays for `n` samples out, if there are any. */
  take(n: number, imageSize: Size): BatchArrays | undefined {
    const pixels = n * pixelsOf(imageSize);
    const place = this.#spare.findIndex(({ labels }) => labels.length === pixels);
    return place < 0 ? undefined : this.#spare.splice(place, 1)[0];
  }

  give({ images, labels }: BatchArrays): void {
    if (!this.#spare.some((spare) => spare.images === images)) this.#spare.push({ images, labels });
  }
}

/** How samples become a batch's numbers. */
export interface SampleNumbers {
  readonly normalization: Normalization;
  /** As of the samples' data set. */
  readonly ignores: boolean;
}

/** Writes a sample at its place in a batch. */
export function putSample(
  { images, labels }: BatchArrays,
  position: number,
  { image, mask }: Sample,
  { normalization, ignores }: SampleNumbers,
): void {
  normalize(image, normalization, images.subarray(position * image.length, (position + 1) * image.length));
  const begin = position * mask.length;
  labels.set(mask, begin);
  if (!ignores) return;
  for (let i = mask.indexOf(IGNORE); i !== -1; i = mask.indexOf(IGNORE, i + 1))
    labels[begin + i] = IGNORED_LABEL;
}
