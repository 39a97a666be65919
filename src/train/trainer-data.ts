import type { SegmentationDataset } from "../data/dataset.ts";
import type { VariableValues } from "../graph/variables.ts";
import type { TrainingState } from "../runs/training-state.ts";

/** What a run is made with. */
export interface TrainerData {
  /** Photos to train on. */
  readonly training: SegmentationDataset;
  /** Photos to validate on. */
  readonly validation: SegmentationDataset;
  /** `[classes]`, for a trainer that weighs them. */
  readonly classWeights: Float32Array | null;
}

/** A run that goes on: where it stood and the numbers of all its variables, optimizer's slots included. */
export interface Resumed {
  /** Where the run stood. */
  readonly state: TrainingState;
  /** The numbers of all its variables, by name. */
  readonly values: Iterable<readonly [string, VariableValues]>;
}
