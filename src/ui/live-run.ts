import { basename, resolve } from "node:path";
import type { MemoryPlan } from "../graph/memory-plan.ts";
import { describeMemoryPlan } from "../graph/memory-plan.ts";
import type { EpochResult, RunInfo, RunObserver, StepResult } from "../runs/observer.ts";
import { emptyCurve } from "./curve.ts";
import { PaceMeter } from "./pace.ts";
import { listPhotos, photoPicture } from "./photo-pictures.ts";
import { Pictures } from "./pictures.ts";
import { curveOf } from "./run-files.ts";
import type { RunFiles } from "./run-files.ts";
import type { RunSource } from "./run-source.ts";
import { applyMessage, emptyState } from "./run-state.ts";
import type { EpochPoint, Picture, RunDescription, RunMessage, RunState, StepPoint } from "./run-state.ts";

/** Milliseconds over which steps are gathered into one message: a fast GPU makes hundreds a second. */
const GATHER = 200;

/** A run that goes on in this process: an observer keeps its state and tells of every change. */
export class LiveRun implements RunSource {
  state: RunState;
  readonly #tell: (message: RunMessage) => void;
  readonly #pace: PaceMeter;
  readonly #past: RunFiles | null;
  readonly #folder: string;
  readonly #pictures = new Pictures();
  readonly #plans = new Map<string, MemoryPlan>();
  #gathered: StepPoint[] = [];
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param before the run's folder: what is known of it, and the past of a run that is resumed
   * @param tell takes every message after it was applied to `state`
   */
  constructor(info: RunInfo, before: RunFiles | null, tell: (message: RunMessage) => void) {
    const known = before?.state ?? emptyState();
    const past = info.resumedAtStep > 0 ? before : null;
    this.state = {
      ...emptyState(),
      run: describeRun(info),
      config: known.config ?? { ...info.config },
      environment: known.environment,
      backgroundAccuracy: known.backgroundAccuracy,
      curve: past ? curveOf(past.log, info.resumedAtStep) : emptyCurve(),
      epochs: past
        ? known.epochs.filter(({ epoch }) => epoch * info.stepsPerEpoch <= info.resumedAtStep)
        : [],
      pictures: past ? known.pictures : [],
    };
    this.#past = past;
    this.#folder = info.path;
    this.#tell = tell;
    this.#pace = new PaceMeter(info);
  }

  /** What the trainer is to be given, apart from `start`, with which this object begins. */
  readonly observer: Omit<Required<RunObserver>, "start" | "close"> = {
    phase: (phase, plan) => {
      this.#pace.phase();
      this.#plans.set(phase, describeMemoryPlan(plan));
      this.#publish({ type: "plan", phase });
    },
    step: (result) => this.#step(result),
    epoch: (result) => {
      this.flush();
      const label = `Epoch ${result.epoch}`;
      this.#pictures.add({ id: `epoch-${result.epoch}`, label }, result.predictions);
      this.#pace.epoch(result.seconds);
      const { backgroundAccuracy } = result.validation;
      this.#publish({
        type: "epoch",
        epoch: epochPoint(result),
        backgroundAccuracy,
        pictures: this.#listPictures(),
      });
    },
    end: async (summary) => {
      this.flush();
      const photos = await listPhotos(this.#folder);
      this.#publish({ type: "end", summary, pictures: this.#listPictures(), photos });
    },
  };

  async picture(id: string): Promise<Buffer | null> {
    if (this.state.photos.some((photo) => photo.id === id)) return photoPicture(this.#folder, id);
    return this.#pictures.get(id) ?? (await this.#past?.picture(id)) ?? null;
  }

  plan = (phase: string): Promise<MemoryPlan | null> => Promise.resolve(this.#plans.get(phase) ?? null);

  /** Tells of the steps gathered so far. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#gathered.length === 0) return;
    const steps = this.#gathered;
    this.#gathered = [];
    this.#publish({ type: "steps", steps, pace: this.#pace.read(this.state.pace) });
  }

  /** Those of the resumed run's past, then those since. */
  #listPictures(): Picture[] {
    const since = this.#pictures.list;
    const past = this.#past?.state.pictures ?? [];
    return [...past.filter(({ id }) => !since.some((picture) => picture.id === id)), ...since];
  }

  #step(result: StepResult & { readonly waitedMs?: number }): void {
    const { phase, epoch, step, globalStep, loss, accuracy, learningRate, waitedMs } = result;
    const waited = waitedMs === undefined ? null : waitedMs / 1000;
    this.#pace.step({ globalStep, at: performance.now() / 1000, waited });
    this.#gathered.push({ phase, epoch, step, globalStep, loss, accuracy, learningRate });
    this.#timer ??= setTimeout(() => this.flush(), GATHER).unref();
  }

  #publish(message: RunMessage): void {
    this.state = applyMessage(this.state, message);
    this.#tell(message);
  }
}

function describeRun(info: RunInfo): RunDescription {
  const { epochsFrozen, epochsFinetune, batchSize, freeze } = info.config;
  return {
    name: basename(resolve(info.path)),
    adapter: info.adapter,
    epochs: info.epochs,
    freeze,
    stepsPerEpoch: info.stepsPerEpoch,
    batchSize,
    fineTuningFrom: epochsFrozen > 0 && epochsFinetune > 0 ? epochsFrozen + 1 : null,
    trainingPhotos: info.trainingPhotos,
    validationPhotos: info.validationPhotos,
  };
}

const epochPoint = ({ phase, epoch, loss, accuracy, validation, seconds }: EpochResult): EpochPoint => ({
  phase,
  epoch,
  loss,
  accuracy,
  valLoss: validation.loss,
  valAccuracy: validation.accuracy,
  valMeanIou: Number.isFinite(validation.meanIou) ? validation.meanIou : null,
  valDice: validation.meanDice,
  valFwIou: validation.frequencyWeightedIou,
  seconds,
});
