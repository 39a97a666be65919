/**
 * @file What `import … from "bespoke/train"` gives: whole training runs of the U-Net, as `npm run train` makes them, and
 * what follows a run. Apart from `bespoke/node` because the figures take a second or two to load.
 */
export { ConfigError, resolveConfig } from "./config/index.ts";
export type { TrainConfig } from "./config/index.ts";
export { allOf } from "./runs/observer.ts";
export type { EpochResult, RunInfo, RunObserver, StepResult } from "./runs/observer.ts";
export { createProgress } from "./runs/progress.ts";
export type { Summary } from "./runs/summary.ts";
export { tensorBoard } from "./runs/tensorboard/tensorboard.ts";
export { TfEventsWriter } from "./runs/tensorboard/tf-events-writer.ts";
export type { TfEventsWriterOptions } from "./runs/tensorboard/tf-events-writer.ts";
export { train } from "./train/train.ts";
export type { TrainJob } from "./train/train.ts";
export { Trainer } from "./train/trainer.ts";
export { TrainingDivergedError } from "./train/training-diverged-error.ts";
export type { StepPlace } from "./train/training-diverged-error.ts";
export type { TrainerEvents } from "./train/trainer-events.ts";
export type { TrainerOptions } from "./train/trainer-options.ts";
