import { readFile } from "node:fs/promises";
import { ConfigError, descriptions, schema, SETTING_NAMES } from "../config/index.ts";
import type { Said, SettingName, TrainConfig } from "../config/index.ts";
import { writeJson } from "../runs/run-folder.ts";
import type { RunFolder } from "../runs/run-folder.ts";

/**
 * Settings that may change when a run goes on: none of them changes what a step computes. (Another folder of data has to
 * hold the same, which is looked at when it is read.)
 */
const FREE: readonly SettingName[] = [
  "data",
  "maxSteps",
  "time",
  "adapter",
  "adapters",
  "allowSoftware",
  "saveEvery",
  "tensorboard",
  "cache",
];

/** Settings that runs of earlier versions do not have, as those runs went. */
const SINCE: Partial<TrainConfig> = {
  accumulate: 1,
  precision: "f32",
  cacheFeatures: false,
  tune: "off",
  lossyMasks: true,
  freeze: "encoder",
  encoder: "densenet121",
  format: null,
  resize: "stretch",
  crop: null,
  scale: null,
  // As many as there were, named or not.
  classes: 59,
  labelMap: null,
  // Every pixel counted.
  ignoreLabel: null,
  monitor: "val_accuracy",
  loss: "cross-entropy",
  labelSmoothing: 0,
  focalGamma: 2,
  tverskyAlpha: 0.3,
  tverskyBeta: 0.7,
  weightDecay: 0,
  sgdMomentum: 0.9,
  nesterov: false,
  encoderRateScale: 1,
  headBias: "zeros",
  encoderStatistics: "batch",
  ema: null,
  budget: null,
  bnReestimate: 0,
  adapters: null,
  wire: "f32",
  syncBatchNorm: false,
};

/**
 * The settings of a run that goes on: its own, with limits lifted unless they are said anew.
 *
 * @throws ConfigError for a setting that a run cannot change on its way, or a `config.json` that is none.
 */
export async function resumedConfig(run: RunFolder, said: Said): Promise<TrainConfig> {
  for (const name of SETTING_NAMES) {
    if (said[name] === undefined || FREE.includes(name)) continue;
    const free = FREE.map((other) => descriptions.get(schema.shape[other])!.flag).join(", ");
    const { flag } = descriptions.get(schema.shape[name])!;
    throw new ConfigError(
      `--resume goes on with the run's own settings: leave out ${flag} (only ${free} may be given).`,
    );
  }
  let own: TrainConfig;
  try {
    own = schema.parse({ ...SINCE, ...(JSON.parse(await readFile(run.config, "utf8")) as object) });
  } catch (error) {
    throw new ConfigError(`${run.config} holds no settings that this version knows: begin a new run.`, {
      cause: error,
    });
  }
  const changed = Object.fromEntries(
    FREE.filter((name) => said[name] !== undefined).map((name) => [name, said[name]]),
  );
  const result = schema.safeParse({ ...own, maxSteps: null, time: null, ...changed });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ConfigError(
    `${descriptions.get(schema.shape[issue.path[0] as SettingName])!.flag} ${issue.message}.`,
  );
}

/** Writes down where a run that goes on has found its data, for the next time. */
export async function keepDataFolder(run: RunFolder, { data }: TrainConfig): Promise<void> {
  const own = JSON.parse(await readFile(run.config, "utf8")) as Said;
  if (own.data !== data) await writeJson(run.config, { ...own, data });
}
