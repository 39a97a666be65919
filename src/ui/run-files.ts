import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { MemoryPlan } from "../graph/memory-plan.ts";
import { parseHistory } from "../runs/history.ts";
import type { HistoryRow } from "../runs/history.ts";
import { isFreeze, phaseTitle } from "../runs/phase.ts";
import type { Freeze, Phase } from "../runs/phase.ts";
import type { Summary } from "../runs/summary.ts";
import { addToCurve, emptyCurve } from "./curve.ts";
import type { Curve } from "./curve.ts";
import { EventLog } from "./event-log.ts";
import type { RunSource } from "./run-source.ts";
import { listPhotos, photoPicture } from "./photo-pictures.ts";
import { emptyState } from "./run-state.ts";
import type { EpochPoint, Facts, Picture, RunDescription, RunState } from "./run-state.ts";
import { UiError } from "./ui-error.ts";
import { programLine } from "../files/package.ts";

/** A run without a summary that has written nothing for so many seconds, or for three epochs, is taken to have stopped. */
const SILENCE = 120;

/** The files of a run's folder that tell its state. */
const FILES = ["config.json", "environment.json", "history.csv", "plan.json", "summary.json"];

/** Pictures of predictions, the oldest first. */
const figures = (freeze: Freeze): Picture[] => [
  { id: "predictions_frozen", label: phaseTitle("frozen", freeze) },
  { id: "predictions_finetuned", label: "Fine-tuned" },
  { id: "predictions", label: "Last epoch" },
];

/** A run as its folder tells it, at one moment. */
export class RunFiles implements RunSource {
  readonly state: RunState;
  readonly log: EventLog;
  readonly #folder: string;
  readonly #stamp: string;
  readonly #plans: Partial<Record<string, MemoryPlan>>;

  private constructor(
    folder: string,
    log: EventLog,
    state: RunState,
    stamp: string,
    plans: Partial<Record<string, MemoryPlan>>,
  ) {
    this.#folder = folder;
    this.log = log;
    this.state = state;
    this.#stamp = stamp;
    this.#plans = plans;
  }

  /**
   * @param log what was read of the event files before; new lines are added to it
   * @throws UiError when `folder` is no run's folder. A file that is missing or half-written is left out.
   */
  static async read(folder: string, log = new EventLog(join(folder, "tensorboard"))): Promise<RunFiles> {
    const { stamp, changed } = await stampOf(folder);
    await log.update();
    const [config, environment, plans, summary] = await Promise.all([
      readJson<Facts>(join(folder, "config.json")),
      readJson<Facts>(join(folder, "environment.json")),
      readJson<Partial<Record<Phase, MemoryPlan>>>(join(folder, "plan.json")),
      readJson<Summary>(join(folder, "summary.json")),
    ]);
    if (config === null) {
      throw new UiError(
        `${folder} is no run's folder (there is no readable config.json in it): give one that \`${programLine("train")}\` wrote.`,
      );
    }
    const rows = await readRows(join(folder, "history.csv"));
    const perEpoch = numberOf(config.stepsPerEpoch) ?? log.pictured[0] ?? null;
    const begun = rows.length > 0 || log.steps.length > 0;
    const state: RunState = {
      ...emptyState(),
      status: summary ? "finished" : isSilent(changed, rows) ? "stopped" : begun ? "training" : "waiting",
      run: describeRun(folder, config, environment, summary, rows, perEpoch),
      config,
      environment,
      curve: curveOf(log),
      epochs: rows.map(epochPoint),
      backgroundAccuracy: summary?.background_accuracy ?? null,
      pictures: await listPictures(folder, log, perEpoch, freezeOf(config)),
      // A run that was taken up still has those of its first end.
      photos: summary ? await listPhotos(folder) : [],
      plans: (["frozen", "finetune"] as const).filter((phase) => plans?.[phase]),
      pace: {
        stepsPerSecond: perEpoch === null || rows.length === 0 ? null : perEpoch / rows.at(-1)!.seconds,
        secondsLeft: null,
        waiting: summary?.data_wait_share ?? null,
      },
      summary,
    };
    return new RunFiles(folder, log, state, stamp, plans ?? {});
  }

  /** The folder read anew; null when nothing has changed. */
  async next(): Promise<RunFiles | null> {
    const { stamp } = await stampOf(this.#folder);
    const silence = this.state.status === "training" || this.state.status === "waiting";
    if (stamp === this.#stamp && !silence) return null;
    const next = await RunFiles.read(this.#folder, this.log);
    return stamp === this.#stamp && next.state.status === this.state.status ? null : next;
  }

  async picture(id: string): Promise<Buffer | null> {
    if (this.state.photos.some((photo) => photo.id === id)) return photoPicture(this.#folder, id);
    if (!this.state.pictures.some((picture) => picture.id === id)) return null;
    const epoch = /^epoch-(\d+)$/.exec(id);
    if (!epoch) return readFile(join(this.#folder, "figures", `${id}.png`)).catch(() => null);
    const perEpoch = this.state.run?.stepsPerEpoch ?? 1;
    const step = this.log.pictured.find((at) => epochOf(at, perEpoch) === Number(epoch[1]));
    return step === undefined ? null : this.log.picture(step);
  }

  plan = (phase: string): Promise<MemoryPlan | null> => Promise.resolve(this.#plans[phase] ?? null);
}

/** The curve of the steps logged, up to `last`. */
export function curveOf(log: EventLog, last = Infinity): Curve {
  const curve = emptyCurve();
  for (const step of log.steps) if (step.globalStep <= last) addToCurve(curve, step);
  return curve;
}

const epochOf = (globalStep: number, perEpoch: number): number => Math.ceil(globalStep / perEpoch);
const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

const isSilent = (changed: number, rows: readonly HistoryRow[]): boolean =>
  (Date.now() - changed) / 1000 > Math.max(SILENCE, 3 * (rows.at(-1)?.seconds ?? 0));

/** Size and time of every file that is read, and when the latest was changed (milliseconds since 1970). */
async function stampOf(folder: string): Promise<{ stamp: string; changed: number }> {
  const events = await readdir(join(folder, "tensorboard")).catch(() => []);
  const names = [...FILES, "figures", "checkpoints", ...events.map((name) => join("tensorboard", name))];
  const stats = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => null)));
  return {
    stamp: stats.map((entry) => (entry ? `${entry.size}@${entry.mtimeMs}` : "")).join(),
    changed: Math.max(0, ...stats.map((entry) => entry?.mtimeMs ?? 0)),
  };
}

async function readJson<T>(path: string): Promise<T | null> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as unknown;
    return typeof value === "object" ? (value as T) : null;
  } catch {
    return null;
  }
}

async function readRows(path: string): Promise<HistoryRow[]> {
  try {
    return parseHistory(await readFile(path, "utf8")).filter(({ epoch }) => Number.isFinite(epoch));
  } catch {
    return [];
  }
}

/** Predictions after each epoch, from the event files; without these, from the figures. */
async function listPictures(
  folder: string,
  log: EventLog,
  perEpoch: number | null,
  freeze: Freeze,
): Promise<Picture[]> {
  if (perEpoch !== null && log.pictured.length > 0) {
    const epochs = new Set(log.pictured.map((step) => epochOf(step, perEpoch)));
    return [...epochs].map((epoch) => ({ id: `epoch-${epoch}`, label: `Epoch ${epoch}` }));
  }
  const names = new Set(await readdir(join(folder, "figures")).catch(() => []));
  return figures(freeze).filter(({ id }) => names.has(`${id}.png`));
}

function describeRun(
  folder: string,
  config: Facts,
  environment: Facts | null,
  summary: Summary | null,
  rows: readonly HistoryRow[],
  stepsPerEpoch: number | null,
): RunDescription {
  const [frozen, finetune] = [numberOf(config.epochsFrozen) ?? 0, numberOf(config.epochsFinetune) ?? 0];
  const seen = rows.find(({ phase, epoch }) => phase === "finetune" && epoch > 1);
  const planned = frozen > 0 && finetune > 0 ? frozen + 1 : null;
  return {
    name: basename(resolve(folder)),
    adapter: summary?.adapter ?? (typeof environment?.adapter === "string" ? environment.adapter : ""),
    epochs: summary ? rows.length : frozen + finetune,
    freeze: freezeOf(config),
    stepsPerEpoch,
    batchSize: numberOf(config.batchSize),
    // Patience may have ended the frozen phase early.
    fineTuningFrom: seen?.epoch ?? (summary ? null : planned),
    trainingPhotos: null,
    validationPhotos: summary?.validation_photos ?? null,
  };
}

/** A run of before there was such a setting froze the encoder. */
const freezeOf = (config: Facts): Freeze => (isFreeze(config.freeze) ? config.freeze : "encoder");

const epochPoint = ({ valMeanIou, ...row }: HistoryRow): EpochPoint => ({
  ...row,
  valMeanIou: Number.isFinite(valMeanIou) ? valMeanIou : null,
});
