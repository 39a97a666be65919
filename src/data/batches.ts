import { isMixed, randomFlipLeftRight } from "./augment.ts";
import type { Augmentation, AugmentationSteps } from "./augment.ts";
import { assembleBatch, SpareArrays } from "./batch.ts";
import type { Batch } from "./batch.ts";
import { BatchThreads } from "./batch-threads.ts";
import { DataError } from "./data-error.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import type { Normalization } from "./normalize.ts";
import { Later, PREFETCH, Prefetcher } from "./prefetch.ts";
import type { PrefetchOptions } from "./prefetch.ts";
import { Random } from "./random.ts";
import { streamingShuffle } from "./shuffle.ts";
import { WorkerLostError } from "./worker-pool.ts";

export { workerCount } from "./worker-pool.ts";

/** How a data set becomes batches. */
export interface BatchOptions {
  /** Samples a batch, a whole number from 1. */
  batchSize: number;
  /** The samples to use, in this order; all of them by default. */
  indices?: readonly number[];
  /** What is done to pixels last of all; nothing ("unit") by default. */
  normalization?: Normalization;
  /** Batches made ahead of time; `PREFETCH` by default, with worker threads `PREFETCH_OF_WORKERS`. */
  prefetch?: number;
  /** Makes the next `next()` throw the signal's reason and ends the stream. */
  signal?: AbortSignal;
}

/** Where a stream of training batches stands: `position` batches of pass `epoch` through the samples are done. */
export interface BatchState {
  /** Passes through the samples that are done, from 0. */
  epoch: number;
  /** Batches of the current pass that are done, from 0. */
  position: number;
}

/** The beginning of a stream. */
export const START: BatchState = { epoch: 0, position: 0 };

/** How a data set becomes the batches of a training run. */
export interface TrainingBatchOptions extends BatchOptions {
  /** Decides the order of each pass and all augmentation. */
  seed: number;
  /** Shuffle as `tf.data.Dataset.shuffle` does, through a buffer of so many samples; fully by default. */
  shuffleBuffer?: number | null;
  /** Whether what fills no batch at the end of a pass is left out (the default) or makes a smaller batch. */
  dropRemainder?: boolean;
  /** A left-right flip of every second sample by default. */
  augment?: Augmentation;
  /**
   * Which samples of a batch of `count` are made, from the first number up to the second: all by default. Ranks that share the batches out
   * each make a part of them.
   */
  part?: (count: number) => readonly [number, number];
  /** Where to begin, for example the `state` after the last batch of an interrupted run. */
  start?: BatchState;
  /**
   * Worker threads that make the batches, each a batch at a time; none by default: the main thread makes them.
   * It also does until a thread is up, when none can be started, and when `augment` is a function without `draw`.
   */
  workers?: number;
}

/** Batches that worker threads make ahead: enough for four threads, some 17 MB each for 64 photos of 128 × 128. */
export const PREFETCH_OF_WORKERS = 4;

/** A training batch and where it leaves the stream: start there to get the batch after it. */
export interface TrainingBatch extends Batch {
  /** The stream behind this batch: where {@link TrainingBatchOptions.start} goes on. */
  state: BatchState;
  /**
   * What tells each sample from any other of the stream: equal texts are equal pixels. Null where an augmentation is another
   * one each time, and where `augment` is a function without `draw`, of which nobody knows.
   */
  identities: readonly (string | null)[];
  /** Samples of the whole batch, of which this may be a part. */
  whole: number;
}

/** A stream of training batches. */
export class TrainingBatches extends Prefetcher<TrainingBatch> {
  readonly #spare: SpareArrays;

  /** @param spare arrays that `produce` takes to write batches into. */
  constructor(
    produce: () => Promise<TrainingBatch | Later<TrainingBatch>>,
    spare: SpareArrays,
    options: PrefetchOptions,
  ) {
    super(produce, options);
    this.#spare = spare;
  }

  /** Gives back a batch that nobody looks at any more: its arrays are filled with a later one. */
  recycle(batch: TrainingBatch): void {
    this.#spare.give(batch);
  }
}

/**
 * Training batches without end: each pass goes once through the samples in an order of its own. The n-th batch is a pure
 * function of the options, wherever the stream was started.
 * @throws DataError when there are fewer samples than one batch takes, unless smaller batches are wanted, and when `augment` leaves
 *   pixels that do not count and the data set knows none (`ignoring`).
 */
export function trainingBatches(
  dataset: SegmentationDataset,
  options: TrainingBatchOptions,
): TrainingBatches {
  const {
    batchSize,
    seed,
    augment = randomFlipLeftRight,
    shuffleBuffer = null,
    dropRemainder = true,
    normalization = "unit",
    workers = 0,
  } = options;
  const indices = chosen(dataset, options);
  const perPass = (dropRemainder ? Math.floor : Math.ceil)(indices.length / batchSize);
  if (perPass === 0) {
    throw new DataError(
      `${indices.length} training photos do not fill a batch of ${batchSize}: give more photos or a smaller batch size.`,
    );
  }
  if (augment.leavesIgnored && !dataset.ignores) {
    throw new DataError("The augmentation leaves pixels that do not count: give a data set that knows such.");
  }
  const passOrder = (pass: number): number[] => {
    const random = new Random(seed, ORDER, pass);
    if (shuffleBuffer === null) return random.shuffled(indices);
    return streamingShuffle(indices.length, shuffleBuffer, random).map((i) => indices[i]);
  };
  let { epoch, position } = options.start ?? START;
  let order = passOrder(epoch);
  const threads =
    workers > 0 && augment.draw !== undefined ? new BatchThreads(dataset, normalization, workers) : undefined;
  const spare = new SpareArrays();
  const { size: imageSize = dataset.imageSize } = augment;
  const produce = async (): Promise<TrainingBatch | Later<TrainingBatch>> => {
    if (position >= perPass) {
      position = 0;
      order = passOrder(++epoch);
    }
    const [beginning, current] = [position++ * batchSize, epoch];
    const all = order.slice(beginning, beginning + batchSize);
    const [from, to] = options.part?.(all.length) ?? [0, all.length];
    const first = beginning + from;
    const picked = all.slice(from, to);
    const chance = (i: number): Random => new Random(seed, AUGMENTATION, current, first + i);
    const steps = augment.draw && picked.map((_, i) => augment.draw!(chance(i)));
    const others = picked.map((_, i) =>
      steps && isMixed(steps[i]) ? new Random(seed, MIXING, current, first + i).pick(indices) : undefined,
    );
    const rest = {
      state: { epoch, position },
      identities: picked.map((index, i) => (steps ? identityOf(index, steps[i]) : null)),
      whole: all.length,
    };
    const onMainThread = async (): Promise<TrainingBatch> => {
      const prepare = async (sample: Sample, i: number): Promise<Sample> => {
        const other = others[i] === undefined ? undefined : await dataset.load(others[i]);
        return augment(sample, chance(i), other);
      };
      const into = spare.take(picked.length, imageSize);
      const assembly = { prepare, normalization, into, imageSize };
      return { ...(await assembleBatch(dataset, picked, assembly)), ...rest };
    };
    if (!threads?.ready || !steps) return onMainThread();
    const { item } = await threads.begin(picked, steps, others, { imageSize, spare });
    const batch = item.then((arrays) => ({ ...arrays, count: picked.length, indices: picked, ...rest }));
    return new Later(
      batch.catch((error: unknown) => {
        if (error instanceof WorkerLostError) return onMainThread();
        throw error;
      }),
    );
  };
  return new TrainingBatches(produce, spare, {
    ahead: options.prefetch ?? (threads ? PREFETCH_OF_WORKERS : PREFETCH),
    signal: options.signal,
    close: threads && (() => threads.close()),
  });
}

/**
 * One pass through the samples in order. The last batch is filled up with the first samples, and its `count`
 * says how many of its samples are real.
 * @throws DataError when there are no samples.
 */
export function evaluationBatches(dataset: SegmentationDataset, options: BatchOptions): Prefetcher<Batch> {
  const { batchSize, normalization } = options;
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
    return assembleBatch(dataset, filled, { count, normalization });
  };
  return new Prefetcher(produce, { ahead: options.prefetch, signal: options.signal });
}

/** Keeps the streams of a pass's order, of its augmentations and of the samples mixed in apart. */
const ORDER = 1;
const AUGMENTATION = 2;
const MIXING = 3;

/** Null where the steps are others each time: such a sample comes once. */
const identityOf = (index: number, { names, seed }: AugmentationSteps): string | null =>
  seed === undefined ? [index, ...names].join(" ") : null;

function chosen(dataset: SegmentationDataset, { batchSize, indices }: BatchOptions): readonly number[] {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new DataError(`The batch size ${batchSize} cannot be used: give a whole number from 1 up.`);
  }
  return indices ?? Array.from({ length: dataset.size }, (_, i) => i);
}
