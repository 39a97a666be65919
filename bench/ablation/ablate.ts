import { access, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeAdapter } from "../../src/adapter/adapters.ts";
import { ConfigError, resolveConfig, schema } from "../../src/config/index.ts";
import type { Said, SettingName, TrainConfig } from "../../src/config/index.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { readHistory } from "../../src/runs/history.ts";
import { RunFolder } from "../../src/runs/run-folder.ts";
import type { Summary } from "../../src/runs/summary.ts";
import { estimateTime } from "../../src/train/forecast/estimate.ts";
import { prepare } from "../../src/train/prepare.ts";
import { resumedConfig } from "../../src/train/resume.ts";
import { train } from "../../src/train/train.ts";
import type { TrainJob } from "../../src/train/train.ts";
import { TrainingDivergedError } from "../../src/train/training-diverged-error.ts";
import type { AblationRow } from "./rows.ts";

export interface AblationJob {
  readonly rows: readonly AblationRow[];
  readonly seeds: readonly number[];
  /** Settings of the recipe, over those of the preset. */
  readonly said: Said;
  /** Each run goes to `<out>/<row>-<seed>`. */
  readonly out: string;
  /** A device of its own for each run, so that none finds kernels that another one has compiled. */
  readonly open: () => Promise<Gpu>;
  readonly say: (sentence: string) => void;
  readonly observers?: TrainJob["observers"];
  readonly signal?: AbortSignal | undefined;
}

/** What came of a row with a seed. */
export interface AblationRun {
  readonly row: string;
  readonly what: string;
  readonly seed: number;
  readonly adapter: string;
  readonly config: TrainConfig;
  /** Null where the run diverged. */
  readonly outcome: {
    readonly steps: number;
    /** Of all epochs, validation included; what a run takes to begin is not. */
    readonly seconds: number;
    readonly val_accuracy: number;
    readonly val_mean_iou: number;
  } | null;
}

/** A run to be made. */
interface Planned {
  readonly row: AblationRow;
  readonly seed: number;
  readonly folder: string;
  readonly config: TrainConfig;
}

/**
 * Makes every run that is not there yet and gives what came of all of them, row by row. A run that is finished is not made again,
 * and one that was interrupted is taken up, so nothing is lost where this is stopped.
 *
 * @throws ConfigError when a row's settings cannot be used, or a run is there that was made with others; as `train` does, but for
 *   runs that diverge; the signal's reason.
 */
export async function ablate(job: AblationJob): Promise<AblationRun[]> {
  const results: AblationRun[] = [];
  const all = await plannedRuns(job);
  for (const planned of all) await checkFolder(planned);
  for (const [i, planned] of all.entries()) {
    const { row, seed, folder } = planned;
    job.signal?.throwIfAborted();
    let outcome = await outcomeOf(folder);
    if (outcome === null) {
      job.say(`\n${i + 1} of ${all.length}: ${row.name}, seed ${seed}`);
      outcome = await makeRun(job, planned);
    }
    const adapter = await adapterOf(folder);
    const config = await configIn(folder);
    results.push({ row: row.name, what: row.what, seed, adapter, config, outcome });
  }
  return results;
}

/** Says which runs there will be and how long those take that are not there yet. */
export async function describeAblation(job: AblationJob): Promise<void> {
  const all = await plannedRuns(job);
  let seconds = 0;
  for (const planned of all) {
    const { row, seed, folder, config } = planned;
    await checkFolder(planned);
    const done = (await outcomeOf(folder)) !== null;
    job.say(`${row.name}, seed ${seed}: ${row.what}${done ? " (done)" : ""}`);
    if (!done) seconds += config.budget ?? (await estimated(job, config));
  }
  job.say(`${all.length} runs, ${(seconds / 60).toFixed(0)} minutes for those that are still to be made.`);
}

async function estimated({ open, signal }: AblationJob, config: TrainConfig): Promise<number> {
  const gpu = await open();
  try {
    const { data, options } = await prepare({ config: { ...config, out: null }, gpu, say: () => {}, signal });
    return (await estimateTime(gpu, options, data.validation.size)).total;
  } finally {
    gpu.destroy();
  }
}

/** Rows that change nothing of this recipe are left out. */
async function plannedRuns({ rows, seeds, said, out, open }: AblationJob): Promise<Planned[]> {
  const gpu = await open();
  const { kind } = describeAdapter(gpu);
  gpu.destroy();
  const resolved = (more: Said): TrainConfig =>
    resolveConfig(
      [
        {
          file: null,
          said: { preset: "quick", validationPhotos: null, tensorboard: false, ...said, ...more },
        },
      ],
      kind,
    );
  const recipe = resolved({});
  const changes = ({ settings }: AblationRow): boolean =>
    JSON.stringify(resolved(settings(recipe))) !== JSON.stringify(recipe);
  const own = rows.filter((row, i) => i === 0 || changes(row));
  return seeds.flatMap((seed) =>
    own.map((row): Planned => {
      const folder = join(out, `${row.name}-${seed}`);
      return { row, seed, folder, config: resolved({ ...row.settings(recipe), seed, out: folder }) };
    }),
  );
}

/** @throws ConfigError when a run is there with other settings. */
async function checkFolder({ folder, config }: Planned): Promise<void> {
  if (!(await exists(join(folder, "config.json")))) return;
  const own = await configIn(folder);
  const free: readonly SettingName[] = ["out", ...(config.budget === null ? [] : ["stepsPerEpoch" as const])];
  const other = (Object.keys(config) as SettingName[]).find(
    (name) => !free.includes(name) && JSON.stringify(own[name]) !== JSON.stringify(config[name]),
  );
  if (other !== undefined) {
    throw new ConfigError(
      `${folder} was made with ${other} ${JSON.stringify(own[other])}, and now it is ${JSON.stringify(config[other])}: give another --out, ` +
        "or remove that run.",
    );
  }
}

async function makeRun(job: AblationJob, { folder, config }: Planned): Promise<AblationRun["outcome"]> {
  const { open, say, observers, signal } = job;
  let resume: RunFolder | undefined;
  if (await exists(join(folder, "config.json"))) resume = await RunFolder.open(folder);
  else await removeBeginning(folder);
  const gpu = await open();
  try {
    await train({
      config: resume ? await resumedConfig(resume, {}) : config,
      ...{ gpu, say, observers, signal, resume },
    });
    return await outcomeOf(folder);
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof TrainingDivergedError)) throw error;
    say(error.message);
    return null;
  } finally {
    gpu.destroy();
  }
}

/** What a run leaves that was killed before it had written its settings. */
const BEGINNING = ["checkpoints", "figures", "tiles.json", "class-weights.json", "run.lock"];

async function removeBeginning(folder: string): Promise<void> {
  const held = await readdir(folder).catch(() => []);
  // Anything else is somebody's own, and the run refuses the folder.
  if (held.every((name) => BEGINNING.includes(name) || name.startsWith(".") || name.endsWith(".tmp")))
    await rm(folder, { recursive: true, force: true });
}

/** Of a run that came to its end; null of any other. */
async function outcomeOf(folder: string): Promise<AblationRun["outcome"]> {
  const file = join(folder, "summary.json");
  if (!(await exists(file))) return null;
  const { ending, steps, val_accuracy, val_mean_iou } = JSON.parse(await readFile(file, "utf8")) as Summary;
  if (ending !== "finished") return null;
  const seconds = (await readHistory(join(folder, "history.csv"))).reduce((sum, row) => sum + row.seconds, 0);
  return { steps, seconds, val_accuracy, val_mean_iou };
}

const configIn = async (folder: string): Promise<TrainConfig> =>
  schema.parse(JSON.parse(await readFile(join(folder, "config.json"), "utf8")));

const adapterOf = async (folder: string): Promise<string> =>
  (JSON.parse(await readFile(join(folder, "environment.json"), "utf8")) as { adapter: string }).adapter;

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
