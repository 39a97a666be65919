import type { TrainConfig } from "./config/index.ts";
import { PHASES } from "./programs.ts";
import type { RunData } from "./run-data.ts";
import type { TrainerOptions } from "./trainer.ts";

/** What a configuration means for these photos. */
export function trainerOptions(config: TrainConfig, data: RunData, signal?: AbortSignal): TrainerOptions {
  return {
    batchSize: Math.min(config.batchSize, config.dropRemainder ? Infinity : data.training.size),
    imageSize: config.imageSize,
    classes: data.photos.classNames.length,
    momentum: config.bnMomentum,
    decoder: config.decoder,
    optimizer: config.optimizer,
    clipNorm: config.clipNorm,
    weighted: config.classWeights !== "none",
    epochs: { frozen: config.epochsFrozen, finetune: config.epochsFinetune },
    learningRate: { frozen: config.learningRate, finetune: config.finetuneLearningRate },
    schedule: config.schedule,
    warmupSteps: config.warmupSteps,
    stepsPerEpoch: data.stepsPerEpoch,
    augment: data.augment,
    shuffleBuffer: config.shuffleBuffer,
    dropRemainder: config.dropRemainder,
    normalization: config.normalization,
    patience: config.patience,
    maxSteps: config.maxSteps,
    time: config.time,
    seed: config.seed,
    weights: config.weights,
    signal,
  };
}

/** Phases that a configuration has epochs for. */
export const phasesOf = ({ epochs }: Pick<TrainerOptions, "epochs">): (typeof PHASES)[number][] =>
  PHASES.filter((phase) => epochs[phase] > 0);
