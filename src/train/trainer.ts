import type { TrainingBatches } from "../data/batches.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import { hash } from "../data/random.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Variables } from "../graph/variables.ts";
import type { Evaluation } from "../runs/evaluation.ts";
import type { HistoryRow } from "../runs/history.ts";
import type { Monitor } from "../runs/monitor.ts";
import { isInterruption, onAnyRank, throwIfInterrupted } from "./phase/agreement.ts";
import { learningRateAt } from "./phase/learning-rate.ts";
import { limitReached, outOfTime, phaseEnded } from "./phase/limits.ts";
import { HEAD_BIAS } from "./head-bias.ts";
import { loadInitialWeights } from "./initial-weights.ts";
import { firstNonFinite } from "./non-finite.ts";
import { NormStatistics } from "./phase/norm-statistics.ts";
import { PhaseSteps } from "./phase/phase-steps.ts";
import { passGoals, photosOf, stepPasses } from "./phase/step-passes.ts";
import { PHASES } from "../runs/phase.ts";
import type { Phase } from "../runs/phase.ts";
import { NO_EXCHANGE } from "./phase/rank-exchange.ts";
import type { ExchangeTimes } from "./phase/rank-exchange.ts";
import { batchStream } from "./phase/stream.ts";
import { Flight } from "./phase/steps-in-flight.ts";
import type { Ending, EpochOutcome, TrainerEvents } from "./trainer-events.ts";
import type { Resumed, TrainerData } from "./trainer-data.ts";
import type { TrainerOptions } from "./trainer-options.ts";
import { TrainingDivergedError } from "./training-diverged-error.ts";
import { afterEpoch, afterStep, atPhase, INITIAL_STATE } from "../runs/training-state.ts";
import type { TrainingState } from "../runs/training-state.ts";
import { Validation } from "./phase/validation.ts";

/**
 * Trains the U-Net in two phases: with the encoder frozen, or what else the options say, then everything with a fresh
 * optimizer. Owns the variables and the evaluation; `run` may be called once.
 */
export class Trainer {
  /** The numbers that are trained; the programs of both phases and the evaluation share them. */
  readonly variables: Variables;
  /** Milliseconds that steps waited for data. */
  waitedMs = 0;
  /** Milliseconds spent making steps, waiting for data included. */
  steppedMs = 0;
  /** Of exchanges of gradients with other ranks. */
  exchange: ExchangeTimes = NO_EXCHANGE;
  #state: TrainingState;
  readonly #gpu: Gpu;
  readonly #options: TrainerOptions;
  readonly #validation: Validation;

  private constructor(
    gpu: Gpu,
    options: TrainerOptions,
    variables: Variables,
    validation: Validation,
    state: TrainingState,
  ) {
    this.#gpu = gpu;
    this.#options = options;
    this.variables = variables;
    this.#validation = validation;
    this.#state = state;
  }

  /**
   * Compiles the evaluator and loads the weights, or takes up a run where it stood.
   *
   * @throws FileError when the weights to begin with cannot be read or do not fit; GpuError when the device fails or has no memory.
   */
  static async create(gpu: Gpu, options: TrainerOptions, resumed?: Resumed): Promise<Trainer> {
    const variables = new Variables(gpu, { seed: options.seed, values: resumed?.values });
    try {
      const validation = await Validation.create(gpu, variables, options);
      if (options.weights !== null && !resumed) await loadInitialWeights(variables, options.weights, options);
      if (options.headBias && !resumed) variables.write(HEAD_BIAS, options.headBias);
      return new Trainer(gpu, options, variables, validation, resumed?.state ?? INITIAL_STATE);
    } catch (error) {
      variables.destroy();
      throw error;
    }
  }

  /** What decides which epoch is best. */
  get monitor(): Monitor {
    return this.#options.monitor;
  }

  /** Where the run stands: epochs, steps, and where its stream of batches goes on. */
  get state(): TrainingState {
    return this.#state;
  }

  /**
   * Both phases, from where the state stands.
   *
   * @throws TrainingDivergedError when the loss is no longer a number, or half precision overflows for good; the signal's reason when it is aborted (after
   *   the steps in flight and `checkpoint`); GpuError when the device fails.
   */
  async run(data: TrainerData, events: TrainerEvents = {}): Promise<Ending> {
    const { epochs } = this.#options;
    const start = performance.now();
    for (const phase of PHASES.slice(PHASES.indexOf(this.#state.phase))) {
      if (phase !== this.#state.phase) this.#state = atPhase(this.#state, phase);
      if (epochs[phase] === 0 || phaseEnded(this.#options, this.#state)) continue;
      if (await onAnyRank(this.#options.ranks, limitReached(this.#options, this.#state, start)))
        return "limit";
      const ending = await this.#runPhase(phase, data, events, start);
      if (ending === "limit") return ending;
    }
    return "finished";
  }

  /**
   * Runs the validation photos through the network as it is, all of them on this rank.
   *
   * @throws DataError when a photo cannot be read; GpuError when the device fails.
   */
  evaluate(validation: SegmentationDataset): Promise<Evaluation> {
    return this.#validation.evaluate(validation);
  }

  /**
   * Of the step that comes next: the first tensor that is not finite, as `firstNonFinite` calls it.
   *
   * @returns null when there is none, or no next step.
   */
  async firstNonFinite({ training, classWeights }: TrainerData): Promise<string | null> {
    const phase = phaseEnded(this.#options, this.#state)
      ? PHASES[PHASES.indexOf(this.#state.phase) + 1]
      : this.#state.phase;
    if (phase === undefined) return null;
    if (phase !== this.#state.phase) this.#state = atPhase(this.#state, phase);
    // Every rank looks at the whole batch.
    const options = { ...this.#options, ranks: undefined, cacheFeatures: false };
    const batches = this.#stream(phase, training, options);
    const { value: batch } = await batches.next();
    await batches.return();
    if (!batch) return null;
    const { step, globalStep } = this.#state;
    const place = { phase, learningRate: this.#learningRate(step), step: globalStep };
    // From the photos on: the encoder's tensors are looked at too.
    for (const { photos, feeds } of stepPasses(batch, options, place, classWeights)) {
      const goals = passGoals(options, phase, photos);
      const broken = await firstNonFinite(this.#gpu, this.variables, goals, feeds(), options.tileFor);
      if (broken !== null) return broken;
    }
    return null;
  }

  /** Frees the variables and the evaluation's program. */
  destroy(): void {
    this.#validation.destroy();
    this.variables.destroy();
  }

  async #runPhase(
    phase: Phase,
    { training, validation, classWeights }: TrainerData,
    events: TrainerEvents,
    start: number,
  ): Promise<Ending> {
    const { stepsPerEpoch, signal, ranks } = this.#options;
    if (ranks) ranks.patient = true;
    const steps = await PhaseSteps.create(this.#gpu, this.variables, this.#options, phase, classWeights);
    let statistics: NormStatistics | null = null;
    const batches = this.#stream(phase, training);
    const flight = new Flight({ onCpu: this.#gpu.isSoftware });
    try {
      statistics = await NormStatistics.create(this.#gpu, this.variables, this.#options, phase);
      await events.phase?.(phase, steps.plan);
      if (ranks) {
        // All begin together, however long each has compiled.
        await onAnyRank(ranks, false);
        ranks.patient = false;
      }
      while (!phaseEnded(this.#options, this.#state)) {
        const before = performance.now();
        await this.#steps(steps, batches, flight, start, events);
        this.steppedMs += performance.now() - before;
        await throwIfInterrupted(this.#options);
        await statistics?.estimate(training, this.#state.epoch, steps.encoder);
        const whole = this.#state.step === stepsPerEpoch;
        if (!whole) await events.checkpoint?.(this.#state);
        const outcome = await this.#endOfEpoch(steps, validation, before);
        if (whole) {
          this.#state = afterEpoch(this.#state, outcome.row);
          await events.checkpoint?.(this.#state);
        }
        await events.epoch?.(outcome);
        if (await onAnyRank(this.#options.ranks, limitReached(this.#options, this.#state, start)))
          return "limit";
      }
      return "finished";
    } catch (error) {
      // After any other failure the variables may be ahead of the state.
      if (isInterruption(error, signal)) await events.checkpoint?.(this.#state);
      throw error;
    } finally {
      this.waitedMs += batches.waitedMs;
      await batches.return();
      this.exchange = steps.exchangeSince(this.exchange);
      steps.destroy();
      statistics?.destroy();
      this.#validation.endPhase();
      this.variables.release((_, group) => group === "optimizer" || group === "accumulator");
    }
  }

  /** Steps to the end of the epoch, or until the run is told to stop; none is in flight afterwards. */
  async #steps(
    steps: PhaseSteps,
    batches: TrainingBatches,
    flight: Flight,
    start: number,
    events: TrainerEvents,
  ): Promise<void> {
    const { stepsPerEpoch, maxSteps, signal, ranks } = this.#options;
    const first = this.#state;
    const wantsToStop = (): boolean => (signal?.aborted ?? false) || outOfTime(this.#options, start);
    let stopping = false;
    const last = Math.min(stepsPerEpoch, first.step + (maxSteps ?? Infinity) - first.globalStep);
    try {
      for (let number = first.step; number < last; number++) {
        const { value: batch } = await batches.next();
        if (!batch) break;
        const ready = await steps.prepare(batch);
        const learningRate = this.#learningRate(number);
        const step = first.globalStep + number - first.step;
        if (ranks) ranks.at = `step ${step + 1}`;
        const running = steps.run(ready, { learningRate, step, stop: wantsToStop() });
        await flight.add(running, ({ loss, accuracy, exhausted, stop }) => {
          stopping = stop;
          const { phase, epoch, step, globalStep } = this.#state;
          const at = { epoch: epoch + 1, step: step + 1, globalStep: globalStep + 1 };
          if (!Number.isFinite(loss)) throw new TrainingDivergedError(at, globalStep, "loss");
          if (exhausted) throw new TrainingDivergedError(at, globalStep, "gradients");
          this.#state = afterStep(this.#state, { loss, accuracy, stream: batch.state });
          batches.recycle(batch);
          const waitedMs = this.waitedMs + batches.waitedMs;
          events.step?.({ phase, ...at, loss, accuracy, learningRate, waitedMs });
        });
        // The exchange of gradients in the middle of a step has to be over before the next one begins.
        if (ranks) await flight.drain();
        // Ranks stop behind the same step.
        if (ranks ? stopping : wantsToStop()) break;
      }
    } catch (error) {
      await flight.drain().catch(() => undefined);
      throw error;
    }
    await flight.drain();
  }

  async #endOfEpoch(
    { encoder }: PhaseSteps,
    validation: SegmentationDataset,
    since: number,
  ): Promise<EpochOutcome> {
    const { phase, epoch, step, sums, globalStep } = this.#state;
    const result = await this.#validation.evaluate(validation, { encoder, ranks: this.#options.ranks });
    if (!Number.isFinite(result.loss))
      throw new TrainingDivergedError({ epoch: epoch + 1, step }, globalStep, "loss");
    const row: HistoryRow = {
      epoch: epoch + 1,
      phase,
      loss: sums.loss / step,
      accuracy: sums.accuracy / step,
      valLoss: result.loss,
      valAccuracy: result.accuracy,
      valMeanIou: result.meanIou,
      valDice: result.meanDice,
      valFwIou: result.frequencyWeightedIou,
      seconds: (performance.now() - since) / 1000,
    };
    return { row, validation: result };
  }

  /** The phase's batches from where the state stands; each phase has a stream of its own, as each `fit` of Keras's has. */
  #stream(phase: Phase, training: SegmentationDataset, options = this.#options): TrainingBatches {
    const seed = hash(options.seed, PHASES.indexOf(phase));
    const { ranks } = options;
    const part = ranks && ((count: number) => photosOf(ranks, options, count));
    return batchStream(this.#gpu, training, options, { seed, start: this.#state.stream, part });
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
}
