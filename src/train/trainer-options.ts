import type { Augmentation } from "../data/augment.ts";
import type { ImageSize } from "../image-size.ts";
import type { Normalization } from "../data/normalize.ts";
import type { TrainConfig } from "../config/index.ts";
import { encoderNamed } from "../layers/networks/encoders.ts";
import type { Collectives } from "../mpi/collectives.ts";
import { PHASES } from "../runs/phase.ts";
import type { Monitor } from "../runs/monitor.ts";
import { normalizationOf } from "./normalization.ts";
import { lossSpec } from "./phase/loss.ts";
import type { StepSpec } from "./phase/programs.ts";
import type { Phase } from "../runs/phase.ts";
import type { RunData } from "./run-data.ts";

/** What a run needs to know, all of it decided. */
export interface TrainerOptions extends StepSpec {
  /** Epochs of each phase; a phase of none is left out. */
  readonly epochs: Readonly<Record<Phase, number>>;
  /** Of each phase, at its highest. */
  readonly learningRate: Readonly<Record<Phase, number>>;
  /** How the learning rate goes on from there. */
  readonly schedule: TrainConfig["schedule"];
  /** Steps over which a phase's learning rate rises from 0. */
  readonly warmupSteps: number;
  /** Steps an epoch; a phase's stream of batches runs on from epoch to epoch. */
  readonly stepsPerEpoch: number;
  /** Of the photos that are validated on; as those that are trained on without. */
  readonly validationSize?: ImageSize | undefined;
  /** What is done to photos before they are trained on. */
  readonly augment: Augmentation;
  /** Photos that the shuffle holds; null shuffles all of them. */
  readonly shuffleBuffer: number | null;
  /** Whether photos that fill no batch at the end of a pass are left out. */
  readonly dropRemainder: boolean;
  /** What is done to pixels last of all. */
  readonly normalization: Normalization;
  /** Batches over which moving statistics are estimated anew before each validation (see `norm-statistics.ts`); 0 for none. */
  readonly bnReestimate?: number;
  /** What decides which epoch is best. */
  readonly monitor: Monitor;
  /** End a phase when what is monitored has not become better for so many epochs. */
  readonly patience: number | null;
  /** End the run after so many steps in all; null for no such limit. */
  readonly maxSteps: number | null;
  /** Seconds of training in this process. */
  readonly time: number | null;
  /** Decides first weights, the order of photos, augmentation and dropout. */
  readonly seed: number;
  /** Of the data; a network to begin with that calls its classes otherwise has another head. None are known without. */
  readonly classNames?: readonly string[];
  /** Weights to begin with (an encoder or a whole network); random ones without. */
  readonly weights: string | null;
  /** `[classes]`, what the head's bias begins with in place of its own; null, as without, where it is not replaced. */
  readonly headBias?: Float32Array | null;
  /** Ends the run after the steps in flight when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What a configuration means for these photos. */
export function trainerOptions(
  config: TrainConfig,
  data: RunData,
  signal?: AbortSignal,
  ranks?: Collectives,
): TrainerOptions {
  return {
    batchSize: Math.min(config.batchSize, config.dropRemainder ? Infinity : data.training.size),
    imageSize: data.augment.size ?? data.photos.imageSize,
    validationSize: data.photos.imageSize,
    classes: data.photos.classNames.length,
    classNames: data.photos.classNames,
    ignores: data.training.ignores,
    loss: lossSpec(config),
    momentum: config.bnMomentum ?? undefined,
    bnReestimate: config.bnReestimate,
    encoderStatistics: config.encoderStatistics,
    encoder: encoderNamed(config.encoder),
    decoder: config.decoder,
    optimizer: config.optimizer,
    weightDecay: config.weightDecay,
    sgdMomentum: config.sgdMomentum,
    nesterov: config.nesterov,
    encoderRateScale: config.encoderRateScale,
    clipNorm: config.clipNorm,
    ema: config.ema,
    weighted: config.classWeights !== "none",
    accumulate: config.accumulate * (ranks?.size ?? 1),
    ranks,
    wire: config.wire,
    syncBatchNorm: config.syncBatchNorm,
    precision: config.precision,
    freeze: config.freeze,
    // Each crop is another one.
    cacheFeatures: config.cacheFeatures && data.augment.size === undefined,
    epochs: { frozen: config.epochsFrozen, finetune: config.epochsFinetune },
    learningRate: { frozen: config.learningRate, finetune: config.finetuneLearningRate },
    schedule: config.schedule,
    warmupSteps: config.warmupSteps,
    stepsPerEpoch: data.stepsPerEpoch,
    augment: data.augment,
    shuffleBuffer: config.shuffleBuffer,
    dropRemainder: config.dropRemainder,
    normalization: normalizationOf(config),
    // Automatically, once the masks have been read: see monitor.ts.
    monitor: config.monitor === "auto" ? "val_accuracy" : config.monitor,
    patience: config.patience,
    maxSteps: config.maxSteps,
    time: config.time,
    seed: config.seed,
    weights: config.weights,
    signal,
  };
}

/** Phases that a configuration has epochs for. */
export const phasesOf = ({ epochs }: Pick<TrainerOptions, "epochs">): Phase[] =>
  PHASES.filter((phase) => epochs[phase] > 0);
