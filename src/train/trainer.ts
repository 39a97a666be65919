import { evaluationBatches, trainingBatches } from "../data/batches.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { PlanSummary } from "../graph/plan.ts";
import type { Program } from "../graph/program.ts";
import { Variables } from "../graph/variables.ts";
import { restoreWeights } from "./checkpoint.ts";
import { evaluate } from "./evaluate.ts";
import type { Evaluation } from "./evaluate.ts";
import { compileEvaluator, compileTrainingStep, isOptimizerSlot } from "./programs.ts";
import type { Phase } from "./programs.ts";

/** What a run needs to know, all of it decided. */
export interface TrainerOptions {
  readonly imageSize: number;
  readonly batchSize: number;
  readonly classes: number;
  /** Epochs of each phase; a phase of none is left out. */
  readonly epochs: Readonly<Record<Phase, number>>;
  readonly learningRate: Readonly<Record<Phase, number>>;
  /** Steps an epoch; the stream of batches runs on from epoch to epoch. */
  readonly stepsPerEpoch: number;
  /** Of the batch norms' moving statistics. */
  readonly momentum: number;
  readonly seed: number;
  /** Weights to begin with (an encoder or a whole network); random ones without. */
  readonly weights: string | null;
  readonly signal?: AbortSignal;
}

export interface StepResult {
  readonly phase: Phase;
  /** From 1, counted through both phases. */
  readonly epoch: number;
  /** From 1 within the epoch. */
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

export interface EpochResult {
  readonly phase: Phase;
  readonly epoch: number;
  /** Means over the epoch's steps. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validation: Evaluation;
  /** Training and evaluation together. */
  readonly seconds: number;
}

/** What a trainer tells of as it goes; each may take its time, the trainer waits. */
export interface TrainerEvents {
  phase?(phase: Phase, plan: PlanSummary): void | Promise<void>;
  step?(result: StepResult): void;
  epoch?(result: EpochResult, trainer: Trainer): void | Promise<void>;
}

/**
 * Trains the U-Net in two phases: the decoder on a frozen encoder, then everything with a fresh optimizer. Owns the
 * variables and the evaluator; `run` may be called once.
 */
export class Trainer {
  readonly variables: Variables;
  /** Steps made so far. */
  steps = 0;
  /** Milliseconds that steps waited for data. */
  waitedMs = 0;
  readonly #gpu: Gpu;
  readonly #options: TrainerOptions;
  readonly #evaluator: Program;

  private constructor(gpu: Gpu, options: TrainerOptions, variables: Variables, evaluator: Program) {
    this.#gpu = gpu;
    this.#options = options;
    this.variables = variables;
    this.#evaluator = evaluator;
  }

  /** Compiles the evaluator and loads the weights. */
  static async create(gpu: Gpu, options: TrainerOptions): Promise<Trainer> {
    const variables = new Variables(gpu, { seed: options.seed });
    const evaluator = await compileEvaluator(gpu, variables, options);
    if (options.weights !== null) await restoreWeights(variables, options.weights);
    return new Trainer(gpu, options, variables, evaluator);
  }

  /**
   * Both phases.
   *
   * @throws TrainingDivergedError when the loss is no longer a number; the signal's reason when it is aborted (after
   *   the step in flight); GpuError when the device fails.
   */
  async run(
    training: SegmentationDataset,
    validation: SegmentationDataset,
    events: TrainerEvents,
  ): Promise<void> {
    const { epochs, batchSize, seed, signal } = this.#options;
    const batches = trainingBatches(training, { batchSize, seed });
    let epoch = 0;
    try {
      for (const phase of ["frozen", "finetune"] as const) {
        if (epochs[phase] === 0) continue;
        const step = await compileTrainingStep(this.#gpu, this.variables, this.#options, phase);
        try {
          await events.phase?.(phase, step.summary);
          for (const last = epoch + epochs[phase]; epoch < last;) {
            epoch += 1;
            const start = performance.now();
            const means = await this.#epoch(step, batches, phase, epoch, events);
            const result = await evaluate(this.#evaluator, this.batchesOf(validation));
            const seconds = (performance.now() - start) / 1000;
            await events.epoch?.({ phase, epoch, ...means, validation: result, seconds }, this);
            signal?.throwIfAborted();
          }
        } finally {
          step.destroy();
          this.variables.release(isOptimizerSlot);
        }
      }
    } finally {
      this.waitedMs = batches.waitedMs;
      await batches.return();
    }
  }

  /** The likeliest class of each pixel of photos `indices` of `dataset`, each `[S, S]`. */
  async predict(dataset: SegmentationDataset, indices: readonly number[]): Promise<Uint8Array[]> {
    const predictions: Uint8Array[] = [];
    for await (const { images, labels, count } of evaluationBatches(dataset, { ...this.#options, indices })) {
      const { prediction } = await this.#evaluator.run({ image: images, labels }, ["prediction"]);
      const pixels = prediction.length / this.#options.batchSize;
      for (let i = 0; i < count; i++)
        predictions.push(Uint8Array.from(prediction.subarray(i * pixels, (i + 1) * pixels)));
    }
    return predictions;
  }

  destroy(): void {
    this.#evaluator.destroy();
    this.variables.destroy();
  }

  batchesOf(dataset: SegmentationDataset): ReturnType<typeof evaluationBatches> {
    const { batchSize, signal } = this.#options;
    return evaluationBatches(dataset, { batchSize, signal });
  }

  async #epoch(
    step: Program,
    batches: ReturnType<typeof trainingBatches>,
    phase: Phase,
    epoch: number,
    events: TrainerEvents,
  ): Promise<{ loss: number; accuracy: number }> {
    const { stepsPerEpoch, learningRate, signal } = this.#options;
    const sums = { loss: 0, accuracy: 0 };
    const finish = async (number: number, running: ReturnType<Program["run"]>): Promise<void> => {
      const [loss, accuracy] = await running.then((outputs) => [outputs.loss[0], outputs.accuracy[0]]);
      if (!Number.isFinite(loss)) throw new TrainingDivergedError(epoch, number);
      this.steps += 1;
      sums.loss += loss / stepsPerEpoch;
      sums.accuracy += accuracy / stepsPerEpoch;
      events.step?.({ phase, epoch, step: number, loss, accuracy });
    };
    // The step before is waited for only once the next one is submitted, so the GPU never waits for the host.
    let inFlight: Promise<void> | null = null;
    for (let number = 1; number <= stepsPerEpoch; number++) {
      const { value: batch } = await batches.next();
      if (!batch) break;
      const feeds = {
        image: batch.images,
        labels: batch.labels,
        learning_rate: Float32Array.of(learningRate[phase]),
      };
      const current = finish(number, step.run(feeds));
      current.catch(() => {});
      await inFlight;
      inFlight = current;
      if (signal?.aborted) break;
    }
    await inFlight;
    signal?.throwIfAborted();
    return sums;
  }
}

/** The loss became infinite or no number. */
export class TrainingDivergedError extends Error {
  constructor(epoch: number, step: number) {
    super(
      `Training diverged: the loss of step ${step} of epoch ${epoch} is not a finite number. The checkpoints are those ` +
        `of the epoch before; try a lower --learning-rate.`,
    );
    this.name = "TrainingDivergedError";
  }
}
