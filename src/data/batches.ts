import { randomFlipLeftRight } from "./augment.ts";
import type { Augmentation } from "./augment.ts";
import { assembleBatch } from "./batch.ts";
import type { Batch } from "./batch.ts";
import { DataError } from "./data-error.ts";
import type { SegmentationDataset } from "./dataset.ts";
import { Prefetcher } from "./prefetch.ts";
import { Random } from "./random.ts";

export interface BatchOptions {
  batchSize: number;
  /** The samples to use, in this order; all of them unless told otherwise. */
  indices?: readonly number[];
  /** Batches made ahead of time; 2 unless told otherwise. */
  prefetch?: number;
  /** Makes the next `next()` throw the signal's reason and ends the stream. */
  signal?: AbortSignal;
}

/** Where a stream of training batches stands: `position` batches of `epoch` are done. */
export interface BatchState {
  epoch: number;
  position: number;
}

export interface TrainingBatchOptions extends BatchOptions {
  /** Decides the order of each epoch and all augmentation. */
  seed: number;
  /** A left-right flip of every second sample unless told otherwise. */
  augment?: Augmentation;
  /** Where to begin, for example the `state` after the last batch of an interrupted run. */
  start?: BatchState;
}

/** A training batch and where it leaves the stream: start there to get the batch after it. */
export interface TrainingBatch extends Batch {
  state: BatchState;
}

/**
 * Training batches without end: each epoch goes once through the samples in an order of its own and drops what
 * fills no batch. The n-th batch is a pure function of the options, wherever the stream was started.
 * @throws DataError when there are fewer samples than one batch takes.
 */
export function trainingBatches(
  dataset: SegmentationDataset,
  options: TrainingBatchOptions,
): Prefetcher<TrainingBatch> {
  const { batchSize, seed, augment = randomFlipLeftRight } = options;
  const indices = chosen(dataset, options);
  const perEpoch = Math.floor(indices.length / batchSize);
  if (perEpoch === 0) {
    throw new DataError(
      `${indices.length} training photos do not fill a batch of ${batchSize}: give more photos or a smaller batch size.`,
    );
  }
  let { epoch, position } = options.start ?? { epoch: 0, position: 0 };
  let order = epochOrder(indices, seed, epoch);
  const produce = async (): Promise<TrainingBatch> => {
    if (position >= perEpoch) {
      position = 0;
      order = epochOrder(indices, seed, ++epoch);
    }
    const [first, current] = [position++ * batchSize, epoch];
    const state = { epoch, position };
    const batch = await assembleBatch(
      dataset,
      order.slice(first, first + batchSize),
      batchSize,
      (sample, i) => augment(sample, new Random(seed, AUGMENTATION, current, first + i)),
    );
    return { ...batch, state };
  };
  return new Prefetcher(produce, { ahead: options.prefetch, signal: options.signal });
}

/**
 * One pass through the samples in order. The last batch is filled up with the first samples, and its `count`
 * says how many of its samples are real.
 * @throws DataError when there are no samples.
 */
export function evaluationBatches(dataset: SegmentationDataset, options: BatchOptions): Prefetcher<Batch> {
  const { batchSize } = options;
  const indices = chosen(dataset, options);
  if (indices.length === 0) throw new DataError("There are no photos to evaluate on: give at least one.");
  let first = 0;
  const produce = async (): Promise<Batch | undefined> => {
    if (first >= indices.length) return undefined;
    const count = Math.min(batchSize, indices.length - first);
    const filled = Array.from({ length: batchSize }, (_, i) =>
      i < count ? indices[first + i] : indices[(i - count) % indices.length],
    );
    first += batchSize;
    return assembleBatch(dataset, filled, count);
  };
  return new Prefetcher(produce, { ahead: options.prefetch, signal: options.signal });
}

/** Keeps the streams of an epoch's order and of its augmentations apart. */
const ORDER = 1;
const AUGMENTATION = 2;

function epochOrder(indices: readonly number[], seed: number, epoch: number): number[] {
  return new Random(seed, ORDER, epoch).shuffled(indices);
}

function chosen(dataset: SegmentationDataset, { batchSize, indices }: BatchOptions): readonly number[] {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new DataError(`The batch size ${batchSize} cannot be used: give a whole number from 1 up.`);
  }
  return indices ?? Array.from({ length: dataset.size }, (_, i) => i);
}
