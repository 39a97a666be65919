import { trainingBatches, workerCount } from "../../data/batches.ts";
import type { TrainingBatches, TrainingBatchOptions } from "../../data/batches.ts";
import type { SegmentationDataset } from "../../data/dataset.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { TrainerOptions } from "../trainer-options.ts";

/** Training batches as a run draws them. */
export function batchStream(
  gpu: Gpu,
  training: SegmentationDataset,
  options: TrainerOptions,
  {
    seed,
    start,
    dropRemainder,
    part,
  }: Pick<TrainingBatchOptions, "seed" | "start" | "dropRemainder" | "part">,
): TrainingBatches {
  const { batchSize, augment, shuffleBuffer, normalization } = options;
  return trainingBatches(training, {
    ...{ batchSize, seed, augment, shuffleBuffer, normalization, start, part },
    dropRemainder: dropRemainder ?? options.dropRemainder,
    // A software adapter needs the cores itself, and is too slow to wait for data.
    workers: gpu.isSoftware ? 0 : workerCount(),
  });
}
