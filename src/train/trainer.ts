import { evaluationBatches, trainingBatches } from "../data/batches.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import { hash } from "../data/random.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Plan } from "../graph/plan.ts";
import type { Program } from "../graph/program.ts";
import { Variables } from "../graph/variables.ts";
import type { VariableValues } from "../graph/variables.ts";
import { restoreWeights } from "./checkpoint.ts";
import { evaluate } from "./evaluate.ts";
import type { Evaluation } from "./evaluate.ts";
import type { HistoryRow } from "./history.ts";
import { bestRow } from "./history.ts";
import { learningRateAt } from "./learning-rate.ts";
import type { StepResult } from "./observer.ts";
import { firstNonFinite } from "./non-finite.ts";
import { PhaseSteps, stepFeeds } from "./phase-steps.ts";
import type { StepOutcome } from "./phase-steps.ts";
import { compileEvaluator, isOptimizerSlot, PHASES, trainingStep } from "./programs.ts";
import type { Phase } from "./programs.ts";
import type { TrainerOptions } from "./trainer-options.ts";
import { afterEpoch, afterStep, atPhase, INITIAL_STATE } from "./training-state.ts";
import type { TrainingState } from "./training-state.ts";

/** What a run is made with. */
export interface TrainerData {
  readonly training: SegmentationDataset;
  readonly validation: SegmentationDataset;
  /** `[classes]`, for a trainer that weighs them. */
  readonly classWeights: Float32Array | null;
}

/** A run that goes on: where it stood and the numbers of all its variables, optimizer's slots included. */
export interface Resumed {
  readonly state: TrainingState;
  readonly values: Iterable<readonly [string, VariableValues]>;
}

export interface EpochOutcome {
  readonly row: HistoryRow;
  readonly validation: Evaluation;
}

/** What a trainer tells of as it goes; each may take its time, the trainer waits. */
export interface TrainerEvents {
  phase?(phase: Phase, plan: Plan): void | Promise<void>;
  step?(result: StepResult): void;
  /** An epoch has ended, or was cut short by a limit. */
  epoch?(outcome: EpochOutcome): void | Promise<void>;
  /** `state` and the variables belong together now and can be kept: an epoch has ended, or the run is about to stop. */
  checkpoint?(state: TrainingState): void | Promise<void>;
}

/** Why a run came to its end: everything was done, or a limit of steps or time was reached. */
export type Ending = "finished" | "limit";

/** Photos whose predictions an evaluation keeps, for the figures. */
const SHOWN = 4;

/**
 * Trains the U-Net in two phases: the decoder on a frozen encoder, then everything with a fresh optimizer. Owns the
 * variables and the evaluator; `run` may be called once.
 */
export class Trainer {
  readonly variables: Variables;
  /** Milliseconds that steps waited for data. */
  waitedMs = 0;
  /** Milliseconds spent making steps, waiting for data included. */
  steppedMs = 0;
  #state: TrainingState;
  readonly #gpu: Gpu;
  readonly #options: TrainerOptions;
  readonly #evaluator: Program;

  private constructor(
    gpu: Gpu,
    options: TrainerOptions,
    variables: Variables,
    evaluator: Program,
    state: TrainingState,
  ) {
    this.#gpu = gpu;
    this.#options = options;
    this.variables = variables;
    this.#evaluator = evaluator;
    this.#state = state;
  }

  /** Compiles the evaluator and loads the weights, or takes up a run where it stood. */
  static async create(gpu: Gpu, options: TrainerOptions, resumed?: Resumed): Promise<Trainer> {
    const variables = new Variables(gpu, { seed: options.seed, values: resumed?.values });
    try {
      const evaluator = await compileEvaluator(gpu, variables, options);
      if (options.weights !== null && !resumed) await restoreWeights(variables, options.weights);
      return new Trainer(gpu, options, variables, evaluator, resumed?.state ?? INITIAL_STATE);
    } catch (error) {
      variables.destroy();
      throw error;
    }
  }

  get state(): TrainingState {
    return this.#state;
  }

  /**
   * Both phases, from where the state stands.
   *
   * @throws TrainingDivergedError when the loss is no longer a number; the signal's reason when it is aborted (after
   *   the step in flight and `checkpoint`); GpuError when the device fails.
   */
  async run(data: TrainerData, events: TrainerEvents = {}): Promise<Ending> {
    const { epochs } = this.#options;
    const start = performance.now();
    for (const phase of PHASES.slice(PHASES.indexOf(this.#state.phase))) {
      if (phase !== this.#state.phase) this.#state = atPhase(this.#state, phase);
      if (epochs[phase] === 0 || this.#phaseEnded()) continue;
      if (this.#limitReached(start)) return "limit";
      const ending = await this.#runPhase(phase, data, events, start);
      if (ending === "limit") return ending;
    }
    return "finished";
  }

  /** Runs the validation photos through the network as it is. */
  evaluate(validation: SegmentationDataset): Promise<Evaluation> {
    const { batchSize, normalization, classes, signal } = this.#options;
    const batches = evaluationBatches(validation, { batchSize, normalization, signal });
    return evaluate(this.#evaluator, batches, { classes, keep: SHOWN });
  }

  /**
   * Of the step that comes next: the first tensor that is not finite, as `firstNonFinite` calls it.
   *
   * @returns null when there is none, or no next step.
   */
  async firstNonFinite({ training, classWeights }: TrainerData): Promise<string | null> {
    const phase = this.#phaseEnded() ? PHASES[PHASES.indexOf(this.#state.phase) + 1] : this.#state.phase;
    if (phase === undefined) return null;
    if (phase !== this.#state.phase) this.#state = atPhase(this.#state, phase);
    const batches = this.#stream(phase, training);
    const { value: batch } = await batches.next();
    await batches.return();
    if (!batch) return null;
    const step = trainingStep({ ...this.#options, batchSize: batch.count }, phase);
    const feeds = stepFeeds(batch, this.#learningRate(this.#state.step), classWeights);
    return firstNonFinite(this.#gpu, this.variables, step, feeds);
  }

  destroy(): void {
    this.#evaluator.destroy();
    this.variables.destroy();
  }

  async #runPhase(
    phase: Phase,
    { training, validation, classWeights }: TrainerData,
    events: TrainerEvents,
    start: number,
  ): Promise<Ending> {
    const { stepsPerEpoch, signal } = this.#options;
    const steps = await PhaseSteps.create(this.#gpu, this.variables, this.#options, phase, classWeights);
    const batches = this.#stream(phase, training);
    try {
      await events.phase?.(phase, steps.plan);
      while (!this.#phaseEnded()) {
        const before = performance.now();
        await this.#steps(steps, batches, start, events);
        this.steppedMs += performance.now() - before;
        signal?.throwIfAborted();
        const whole = this.#state.step === stepsPerEpoch;
        if (!whole) await events.checkpoint?.(this.#state);
        const outcome = await this.#endOfEpoch(validation, before);
        if (whole) {
          this.#state = afterEpoch(this.#state, outcome.row);
          await events.checkpoint?.(this.#state);
        }
        await events.epoch?.(outcome);
        if (this.#limitReached(start)) return "limit";
      }
      return "finished";
    } catch (error) {
      if (signal?.aborted) await events.checkpoint?.(this.#state);
      throw error;
    } finally {
      this.waitedMs += batches.waitedMs;
      await batches.return();
      steps.destroy();
      this.variables.release(isOptimizerSlot);
    }
  }

  /** Steps to the end of the epoch, or until the run is told to stop. */
  async #steps(
    steps: PhaseSteps,
    batches: ReturnType<typeof trainingBatches>,
    start: number,
    events: TrainerEvents,
  ): Promise<void> {
    const { stepsPerEpoch, batchSize, maxSteps, signal } = this.#options;
    const first = this.#state;
    const last = Math.min(stepsPerEpoch, first.step + (maxSteps ?? Infinity) - first.globalStep);
    const finish = async (
      stream: TrainingState["stream"],
      learningRate: number,
      running: Promise<StepOutcome>,
    ): Promise<void> => {
      const { loss, accuracy } = await running;
      const state = this.#state;
      const at = { epoch: state.epoch + 1, step: state.step + 1, globalStep: state.globalStep + 1 };
      if (!Number.isFinite(loss)) throw new TrainingDivergedError(at, state.globalStep);
      this.#state = afterStep(state, { loss, accuracy, stream });
      const waitedMs = this.waitedMs + batches.waitedMs;
      events.step?.({ phase: state.phase, ...at, loss, accuracy, learningRate, waitedMs });
    };
    // The step before is waited for only once the next one is submitted, so the GPU never waits for the host.
    let inFlight: Promise<void> | null = null;
    for (let number = first.step; number < last; number++) {
      const { value: batch } = await batches.next();
      if (!batch) break;
      const learningRate = this.#learningRate(number);
      const current = finish(batch.state, learningRate, steps.run(batch, learningRate));
      current.catch(() => {});
      await inFlight;
      inFlight = current;
      // A batch of another size has a program to compile first, and the next step must not overtake it.
      if (batch.count !== batchSize) await current;
      if (signal?.aborted || this.#outOfTime(start)) break;
    }
    await inFlight;
  }

  async #endOfEpoch(validation: SegmentationDataset, since: number): Promise<EpochOutcome> {
    const { phase, epoch, step, sums, globalStep } = this.#state;
    const result = await this.evaluate(validation);
    if (!Number.isFinite(result.loss))
      throw new TrainingDivergedError({ epoch: epoch + 1, step }, globalStep);
    const row: HistoryRow = {
      epoch: epoch + 1,
      phase,
      loss: sums.loss / step,
      accuracy: sums.accuracy / step,
      valLoss: result.loss,
      valAccuracy: result.accuracy,
      valMeanIou: result.meanIou,
      seconds: (performance.now() - since) / 1000,
    };
    return { row, validation: result };
  }

  /** The phase's batches from where the state stands; each phase has a stream of its own, as each `fit` of Keras's has. */
  #stream(phase: Phase, training: SegmentationDataset): ReturnType<typeof trainingBatches> {
    const { batchSize, seed, augment, shuffleBuffer, dropRemainder, normalization } = this.#options;
    return trainingBatches(training, {
      batchSize,
      seed: hash(seed, PHASES.indexOf(phase)),
      augment,
      shuffleBuffer,
      dropRemainder,
      normalization,
      start: this.#state.stream,
    });
  }

  #learningRate(step: number): number {
    const { epochs, learningRate, schedule, warmupSteps, stepsPerEpoch } = this.#options;
    const { phase, phaseEpoch } = this.#state;
    return learningRateAt(phaseEpoch * stepsPerEpoch + step, {
      base: learningRate[phase],
      schedule,
      warmupSteps,
      steps: epochs[phase] * stepsPerEpoch,
    });
  }

  #phaseEnded(): boolean {
    const { epochs, patience } = this.#options;
    const { phase, phaseEpoch, history } = this.#state;
    if (phaseEpoch >= epochs[phase]) return true;
    const rows = history.filter((row) => row.phase === phase);
    const best = bestRow(rows);
    return patience !== null && best !== null && rows.at(-1)!.epoch - best.epoch >= patience;
  }

  #limitReached(start: number): boolean {
    const { maxSteps } = this.#options;
    return (maxSteps !== null && this.#state.globalStep >= maxSteps) || this.#outOfTime(start);
  }

  #outOfTime(start: number): boolean {
    const { time } = this.#options;
    return time !== null && performance.now() - start >= 1000 * time;
  }
}

/** The loss became infinite or no number. */
export class TrainingDivergedError extends Error {
  readonly step: { readonly epoch: number; readonly step: number };
  /** Steps of the run that went well. */
  readonly goodSteps: number;

  constructor(step: { epoch: number; step: number }, goodSteps: number) {
    super(`Training diverged: the loss of step ${step.step} of epoch ${step.epoch} is not a finite number.`);
    this.name = "TrainingDivergedError";
    this.step = step;
    this.goodSteps = goodSteps;
  }
}
