import { readFile } from "node:fs/promises";
import { sizeText } from "../image-size.ts";
import { RESIZE_TEXTS } from "../data/resizes.ts";
import { NORMALIZATION_TEXTS } from "../data/normalize.ts";
import { describeMemoryPlan } from "../graph/memory-plan.ts";
import type { MemoryPlan } from "../graph/memory-plan.ts";
import type { Plan, PlanSummary } from "../graph/plan.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { messageOf } from "../message-of.ts";
import type { Collectives } from "../mpi/collectives.ts";
import type { Metadata } from "../weights/tensors.ts";
import { readCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import type { TrainConfig } from "../config/index.ts";
import { describeEnvironment } from "../runs/environment.ts";
import { appendHistory, writeHistory } from "../runs/history.ts";
import type { HistoryRow } from "../runs/history.ts";
import { bestRow, monitored } from "../runs/monitor.ts";
import { keepAs } from "../files/keep-as.ts";
import { allOf } from "../runs/observer.ts";
import type { RunObserver } from "../runs/observer.ts";
import { photoScoresCsv } from "../runs/photo-scores.ts";
import { normalizationOf } from "./normalization.ts";
import { dataPictures, endPictures, predictionsPicture } from "./pictures.ts";
import { phaseTitle } from "../runs/phase.ts";
import type { Phase } from "../runs/phase.ts";
import type { RunData } from "./run-data.ts";
import type { RankTimes } from "../runs/rank-times.ts";
import { RunError } from "../runs/run-error.ts";
import { writeJson } from "../runs/run-folder.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { keepDataFolder } from "./resume.ts";
import { dataMetadata } from "./take-up.ts";
import { summarise } from "../runs/summary.ts";
import type { StepDetail } from "./forecast/step-detail.ts";
import type { Summary } from "../runs/summary.ts";
import type { Ending, EpochOutcome, TrainerEvents } from "./trainer-events.ts";
import type { Trainer } from "./trainer.ts";
import type { Resumed } from "./trainer-data.ts";
import type { TrainingState } from "../runs/training-state.ts";

/** What a run is made of. */
export interface TrainJob {
  /** Every setting, as `resolveConfig` gives them. */
  readonly config: TrainConfig;
  /** The device to train on; it stays the caller's. */
  readonly gpu: Gpu;
  /** A sentence for the user. */
  readonly say: (sentence: string) => void;
  /** What follows the run: made when its folder is known. */
  readonly observers?: readonly ((run: RunFolder) => RunObserver | Promise<RunObserver>)[];
  /** A run to go on with; its own settings are `config`. */
  readonly resume?: RunFolder | undefined;
  /** The ranks that train together, of which this is one; the first one writes and speaks. A process by itself without. */
  readonly ranks?: Collectives | undefined;
  /** Ends the run after the step in flight, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** What to say of a step's kernels before the run begins; nothing by default. */
  readonly detail?: StepDetail | undefined;
}

/** One run: what is written to its folder, and when. */
export class Run implements TrainerEvents {
  observer: Required<RunObserver> | undefined;
  readonly #job: TrainJob;
  readonly #folder: RunFolder;
  readonly #data: RunData;
  readonly #trainer: Trainer;
  readonly #start: number;
  readonly #plans: Partial<Record<Phase, MemoryPlan>> = {};
  readonly #rows: HistoryRow[];
  #plan: PlanSummary | null = null;
  #last: EpochOutcome | null = null;
  #saved: TrainingState | null = null;

  constructor(job: TrainJob, folder: RunFolder, data: RunData, trainer: Trainer, start: number) {
    this.#job = job;
    this.#folder = folder;
    this.#data = data;
    this.#trainer = trainer;
    this.#start = start;
    this.#rows = [...trainer.state.history];
    if (job.resume && trainer.state.globalStep > 0) this.#saved = trainer.state;
  }

  async begin(): Promise<void> {
    const { config, gpu, observers = [], resume } = this.#job;
    const folder = this.#folder;
    // Without its folder: given to --config, the settings are those of another run.
    if (!resume) await writeJson(folder.config, { ...config, out: null });
    else await keepDataFolder(folder, config);
    const record = await this.#data.record();
    if (record !== null) await writeJson(folder.data, record);
    await writeJson(folder.environment, await describeEnvironment(gpu.adapterName));
    await writeHistory(folder.history, this.#rows);
    // A kill between the two checkpoints of an epoch left the older best one.
    if (this.#isBest()) await keepAs(folder.checkpoint("last"), folder.checkpoint("best"));
    if (this.#trainer.state.globalStep === 0) await this.#write(await dataPictures(this.#data, config));
    else Object.assign(this.#plans, await readPlans(folder.plan));
    const followers: RunObserver[] = [];
    // Before they are made: where one cannot be, those before it are closed.
    this.observer = allOf(followers);
    for (const make of observers) followers.push(await make(folder));
    const { photos, validation, stepsPerEpoch } = this.#data;
    await this.observer.start({
      path: folder.path,
      config,
      adapter: gpu.adapterName,
      classNames: photos.classNames,
      monitor: this.#trainer.monitor,
      epochs: config.epochsFrozen + config.epochsFinetune,
      stepsPerEpoch,
      trainingPhotos: photos.size,
      validationPhotos: validation.size,
      resumedAtStep: this.#trainer.state.globalStep,
    });
  }

  async phase(phase: Phase, plan: Plan): Promise<void> {
    this.#plan = plan.summary;
    this.#plans[phase] = describeMemoryPlan(plan);
    const { dispatches, pipelines, peakBytes } = plan.summary;
    const title = phaseTitle(phase, this.#job.config.freeze);
    const mebibytes = Math.ceil(peakBytes / 2 ** 20);
    this.#job.say(`${title}: ${dispatches} dispatches a step, ${pipelines} pipelines, ${mebibytes} MiB`);
    await writeJson(this.#folder.plan, this.#plans);
    await this.observer?.phase(phase, plan);
  }

  step: RunObserver["step"] = (result) => this.observer?.step(result);

  async epoch(outcome: EpochOutcome): Promise<void> {
    const { row, validation } = outcome;
    this.#last = outcome;
    this.#rows.push(row);
    await appendHistory(this.#folder.history, row);
    const picture = await predictionsPicture(this.#data.validation, validation, this.#title(row));
    await this.#write({
      predictions: picture,
      [row.phase === "frozen" ? "predictions_frozen" : "predictions_finetuned"]: picture,
    });
    const { phase, epoch, loss, accuracy, seconds } = row;
    const { globalStep } = this.#trainer.state;
    const result = { phase, epoch, globalStep, loss, accuracy, seconds, validation, predictions: picture };
    await this.observer?.epoch({ ...result, monitored: monitored(row, this.#trainer.monitor) });
  }

  async checkpoint(state: TrainingState): Promise<void> {
    const { saveEvery, imageSize, resize, encoder, decoder, precision, ema } = this.#job.config;
    const normalization = normalizationOf(this.#job.config);
    const last = this.#folder.checkpoint("last");
    const metadata: Metadata = {
      image_size: String(imageSize),
      classes: JSON.stringify(this.#data.photos.classNames),
      encoder,
      decoder,
      normalization,
      precision,
      ...(resize !== "stretch" && { resize }),
      ...(ema !== null && { ema: String(ema) }),
      preprocessing: `RGB / 255, bilinear resize to image_size${RESIZE_TEXTS[resize]}${NORMALIZATION_TEXTS[normalization]}`,
      ...(await dataMetadata(this.#data)),
    };
    await saveCheckpoint(this.#trainer.variables, last, state, metadata);
    this.#saved = state;
    if (state.step > 0) return;
    if (this.#isBest()) await keepAs(last, this.#folder.checkpoint("best"));
    if (saveEvery !== null && state.epoch % saveEvery === 0)
      await keepAs(last, this.#folder.checkpoint(state.epoch));
  }

  /** Whether the state that was saved last is that of the best epoch. */
  #isBest(): boolean {
    const { step, epoch, history } = this.#saved ?? { step: 0, epoch: 0, history: [] };
    return step === 0 && epoch > 0 && bestRow(history, this.#trainer.monitor)?.epoch === epoch;
  }

  async finish(ending: Ending, ranks?: readonly RankTimes[]): Promise<Summary> {
    const { gpu } = this.#job;
    const validation = this.#last?.validation ?? (await this.#trainer.evaluate(this.#data.validation));
    const title = this.#title(this.#rows.at(-1));
    const photos = this.#data.validation;
    await this.#write(await endPictures(this.#rows, photos, validation, title));
    const scores = photoScoresCsv(validation.scores.photos, photos.names);
    await writeFileAtomically(this.#folder.photos, [Buffer.from(scores)]);
    const summary = summarise({
      rows: this.#rows,
      monitor: this.#trainer.monitor,
      validation,
      ending,
      state: this.#trainer.state,
      plan: this.#plan,
      trainer: this.#trainer,
      adapter: gpu.adapterName,
      peakBytes: gpu.peakBytes,
      seconds: (performance.now() - this.#start) / 1000,
      ranks,
    });
    await writeJson(this.#folder.summary, summary);
    await this.observer?.end(summary);
    return summary;
  }

  /** Ends what follows the run. What goes wrong with that changes nothing of how the run ended. */
  async close(): Promise<void> {
    try {
      await this.observer?.close();
    } catch (error) {
      this.#job.say(`What follows the run could not be ended properly: ${messageOf(error)}`);
    }
  }

  /** The state that was saved last, read back. */
  async lastCheckpoint(): Promise<Resumed | undefined> {
    return this.#saved === null ? undefined : readCheckpoint(this.#folder.checkpoint("last"));
  }

  /** What went wrong, where the last checkpoint is, and what to do with it: to go on from it by default. */
  failure(
    message: string,
    cause: unknown,
    advice = (_checkpoint: string) => `go on from it with --resume ${this.#folder.path}`,
  ): RunError {
    if (this.#saved === null)
      return new RunError(`${message} No checkpoint had been written yet.`, { cause });
    const { epoch, step } = this.#saved;
    const last = this.#folder.checkpoint("last");
    const stands = step === 0 ? `of epoch ${epoch}` : `of epoch ${epoch + 1}, step ${step}`;
    return new RunError(`${message} The last checkpoint, ${last} ${stands}, is whole: ${advice(last)}.`, {
      cause,
    });
  }

  #title(row: HistoryRow | undefined): string {
    const { gpu } = this.#job;
    const size = sizeText(this.#data.photos.imageSize);
    // Without the driver's details in brackets.
    return `${gpu.adapterName.replace(/ \(.*$/, "")}, ${size}, after epoch ${row?.epoch ?? 0}`;
  }

  async #write(pictures: Awaited<ReturnType<typeof dataPictures>>): Promise<void> {
    for (const [name, png] of Object.entries(pictures))
      await writeFileAtomically(this.#folder.figure(name as keyof typeof pictures), [png]);
  }
}

/** The plans that a run has written before; none when they cannot be read, for they are only looked at. */
async function readPlans(file: string): Promise<Partial<Record<Phase, MemoryPlan>>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Partial<Record<Phase, MemoryPlan>>;
  } catch {
    return {};
  }
}
