import { factsOf, onAllRanks, refuseDifferentRanks } from "./alike.ts";
import { checkDeterminism } from "./determinism.ts";
import { diagnose } from "./diagnose.ts";
import { describeSteps } from "./forecast/step-detail.ts";
import { withinBudget } from "./forecast/budget.ts";
import { withGpuAdvice } from "./forecast/memory.ts";
import { prepare } from "./prepare.ts";
import { Run } from "./run.ts";
import type { TrainJob } from "./run.ts";
import { RunFolder, writeJson } from "../runs/run-folder.ts";
import { lockRun } from "../runs/run-lock.ts";
import { rankTimes } from "./rank-times.ts";
import { refuseLongSoftwareRun } from "./forecast/software.ts";
import type { Summary } from "../runs/summary.ts";
import { Trainer } from "./trainer.ts";
import type { TrainerData } from "./trainer-data.ts";
import { TrainingDivergedError } from "./training-diverged-error.ts";
import type { TrainerOptions } from "./trainer-options.ts";
import { autotunedTiles, inTiles } from "./autotune.ts";

export type { TrainJob } from "./run.ts";

/**
 * The whole job: data, network, both phases, checkpoints, figures, summary. Everything that can be wrong with the input
 * is found before the run folder is made. Nobody else writes the run meanwhile.
 *
 * @throws DataError, WeightsError, ConfigError, RunFolderError before the run begins; RunError, which says where the last
 *   checkpoint is, after: each with a message for the user. Aborted, the signal's reason, after
 *   `checkpoints/last.safetensors` was written.
 * @returns null of a rank that is not the first.
 */
export async function train(asked: TrainJob & { readonly ranks?: undefined }): Promise<Summary>;
export async function train(asked: TrainJob): Promise<Summary | null>;
export async function train(asked: TrainJob): Promise<Summary | null> {
  const { gpu, say, resume, ranks } = asked;
  const start = performance.now();
  const writes = ranks === undefined || ranks.rank === 0;
  // At once: another process may be about to change what would be read here.
  let unlock = resume && writes ? lockRun(resume, say) : undefined;
  let trainer: Trainer | undefined;
  try {
    if (writes) await resume?.removeAbandoned();
    const prepared = await onAllRanks(ranks, () => prepare(asked));
    const { classWeights, resumed } = prepared;
    const { training, validation } = prepared.data;
    await refuseLongSoftwareRun(gpu, asked.config, prepared.options, validation.size);
    const tiles = prepared.tiles ?? (await autotunedTiles(asked, prepared.options, training.size));
    const tuned = { ...prepared, options: inTiles(prepared.options, tiles) };
    const { job, data, options } = await withinBudget(asked, tuned, start);
    const { config } = job;
    if (job.detail) await describeSteps(gpu, options, job.detail, say);
    trainer = await onAllRanks(ranks, () =>
      Trainer.create(gpu, options, resumed).catch((error: unknown) => {
        throw withGpuAdvice(error);
      }),
    );
    const trained = { training, validation, classWeights };
    if (ranks) await refuseDifferentRanks(ranks, await factsOf(config, data, trainer));
    if (config.deterministic) await checkDeterminism(gpu, options, trained);

    if (!writes) {
      await trainer.run(trained);
      await rankTimes(ranks, trainer.exchange);
      return null;
    }
    const folder = resume ?? (await RunFolder.create(config));
    unlock ??= lockRun(folder, say);
    if (!resume) {
      await writeJson(folder.tiles, tiles);
      if (classWeights) await writeJson(folder.classWeights, [...classWeights]);
    }
    say(`${resume ? "Going on with" : "Writing to"} ${folder.path}`);
    return await carryOut(new Run(job, folder, data, trainer, start), job, {
      folder,
      options,
      trained,
      trainer,
    });
  } finally {
    trainer?.destroy();
    unlock?.();
  }
}

interface Work {
  readonly folder: RunFolder;
  readonly options: TrainerOptions;
  readonly trained: TrainerData;
  readonly trainer: Trainer;
}

/** From the first file to the summary; what goes wrong is told with what there is to go on from. */
async function carryOut(
  run: Run,
  { config, gpu, say, signal, ranks }: TrainJob,
  { folder, options, trained, trainer }: Work,
): Promise<Summary> {
  try {
    await run.begin();
    const ending = await trainer.run(trained, run);
    return await run.finish(ending, ranks && (await rankTimes(ranks, trainer.exchange)));
  } catch (error) {
    if (signal?.aborted) {
      say(`Stopped; go on with --resume ${folder.path}`);
      throw error;
    }
    if (!(error instanceof TrainingDivergedError))
      throw run.failure((withGpuAdvice(error) as Error).message, error);
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
}
