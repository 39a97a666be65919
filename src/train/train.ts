import { readCheckpoint } from "./checkpoint.ts";
import { classWeights } from "./class-weights.ts";
import type { TrainConfig } from "../config/index.ts";
import { checkDeterminism } from "./determinism.ts";
import { diagnose } from "./diagnose.ts";
import { describeSteps } from "./forecast/step-detail.ts";
import { refuseLargeBatch, withMemoryAdvice } from "./forecast/memory.ts";
import { refuseUnknownPrecision } from "./precision.ts";
import { Run } from "./run.ts";
import type { TrainJob } from "./run.ts";
import { openData } from "./run-data.ts";
import type { RunData } from "./run-data.ts";
import { RunError } from "../runs/run-error.ts";
import { checkRunFolder, RunFolder, writeJson } from "../runs/run-folder.ts";
import { refuseLongSoftwareRun } from "./forecast/software.ts";
import type { Summary } from "../runs/summary.ts";
import { Trainer } from "./trainer.ts";
import { TrainingDivergedError } from "./training-diverged-error.ts";
import type { Resumed } from "./trainer.ts";
import { trainerOptions } from "./trainer-options.ts";
import { autotunedTiles, inTiles, readTiles } from "./autotune.ts";

export type { TrainJob } from "./run.ts";

/**
 * The whole job: data, network, both phases, checkpoints, figures, summary. Everything that can be wrong with the input
 * is found before the run folder is made.
 *
 * @throws DataError, WeightsError, ConfigError, RunFolderError before the run begins; RunError, which says where the last
 *   checkpoint is, after: each with a message for the user. Aborted, the signal's reason, after
 *   `checkpoints/last.safetensors` was written.
 */
export async function train(job: TrainJob): Promise<Summary> {
  const { config, gpu, say, resume, signal } = job;
  const start = performance.now();
  refuseUnknownPrecision(gpu, config);
  if (!resume) await checkRunFolder(config.out);
  const data = await openData(config, say);
  say(describeData(data, config));
  // A new run is looked at in the default tiles before it spends time on finding quicker ones.
  const kept = resume && (await readTiles(resume.tiles, say));
  const beginning = inTiles(trainerOptions(config, data, signal), kept ?? {});
  await refuseLargeBatch(gpu, beginning, data.training.size);
  await refuseLongSoftwareRun(gpu, config, beginning, data.validation.size);
  const resumed = resume && (await takeUp(resume, data, say));
  const tiles = kept ?? (await autotunedTiles(job, beginning, data.training.size));
  const options = inTiles(beginning, tiles);
  if (job.detail) await describeSteps(gpu, options, job.detail, say);
  const trainer = await Trainer.create(gpu, options, resumed).catch((error: unknown) => {
    throw withMemoryAdvice(error);
  });
  try {
    await data.read({ signal });
    const { training, validation } = data;
    const weights =
      config.classWeights === "none" ? null : await classWeights(data.photos, config.classWeights);
    const trained = { training, validation, classWeights: weights };
    if (config.deterministic) await checkDeterminism(gpu, options, trained);

    const folder = resume ?? (await RunFolder.create(config));
    if (!resume) await writeJson(folder.tiles, tiles);
    say(`${resume ? "Going on with" : "Writing to"} ${folder.path}`);
    const run = new Run(job, folder, data, trainer, start);
    try {
      await run.begin();
      const ending = await trainer.run(trained, run);
      return await run.finish(ending);
    } catch (error) {
      if (signal?.aborted) {
        say(`Stopped; go on with --resume ${folder.path}`);
        throw error;
      }
      if (!(error instanceof TrainingDivergedError))
        throw run.failure((withMemoryAdvice(error) as Error).message, error);
      trainer.destroy();
      const last = await run.lastCheckpoint();
      const where = await diagnose(gpu, options, trained, last, error.goodSteps);
      const named = where === null ? "" : ` The first tensor that is not finite is ${where}.`;
      const gentler = `a lower --learning-rate${config.precision === "f16" ? ", --precision f32" : ""} or --clip-norm 1`;
      throw run.failure(
        `${error.message}${named} Try ${gentler}.`,
        error,
        // The run itself would only come to the same step again.
        (checkpoint) => `begin a run from it with --weights ${checkpoint} and ${gentler}`,
      );
    } finally {
      await run.close();
    }
  } finally {
    trainer.destroy();
  }
}

/** Where a run stands, from its last checkpoint; undefined when it was killed before the first. */
async function takeUp(
  run: RunFolder,
  data: RunData,
  say: (sentence: string) => void,
): Promise<Resumed | undefined> {
  if (!(await run.holds(run.checkpoint("last")))) {
    say(`${run.path} has no checkpoint yet: beginning it anew`);
    return undefined;
  }
  const { state, values, metadata } = await readCheckpoint(run.checkpoint("last"));
  if (metadata.data !== data.fingerprint) {
    throw new RunError(
      `${run.path} was trained on other photos than there are now: put back the photos it began with, or begin a new run.`,
    );
  }
  say(`Taking up ${run.path} after step ${state.globalStep}, epoch ${state.epoch}`);
  return { state, values };
}

function describeData({ photos, validation }: RunData, { data, overfitBatch }: TrainConfig): string {
  const where = data === null ? ": drawn people in clothes, as there is no --data" : ` from ${data}`;
  if (overfitBatch) return `One batch of ${photos.size} photos to train and validate on${where}`;
  return `${photos.size} photos to train on, ${validation.size} to validate on${where}`;
}
