import { ConfigError } from "../config/index.ts";
import type { TrainConfig } from "../config/index.ts";
import type { TileChoices } from "../graph/autotune/autotune.ts";
import { kernelTarget } from "../graph/kernel-target.ts";
import { inTiles, readTiles } from "./autotune.ts";
import { checkRunFolder } from "../runs/run-folder.ts";
import { checkClassWeights, classPixels, decideClassWeights } from "./class-weights.ts";
import { describeClasses } from "./describe-data.ts";
import { refuseFullDisk } from "./forecast/disk.ts";
import { refuseLargeBatch } from "./forecast/memory.ts";
import { freezingRemarks } from "./freezing-remarks.ts";
import { biasOfFrequencies, HEAD_BIAS } from "./head-bias.ts";
import { checkInitialWeights } from "./initial-weights.ts";
import { refuseUnknownPrecision } from "./precision.ts";
import { chooseMonitor } from "./monitor.ts";
import { openData } from "./run-data.ts";
import type { RunData } from "./run-data.ts";
import type { TrainJob } from "./run.ts";
import { takeUp } from "./take-up.ts";
import type { Resumed } from "./trainer-data.ts";
import { trainerOptions } from "./trainer-options.ts";
import type { TrainerOptions } from "./trainer-options.ts";

/** What a run begins with, or goes on with. */
export interface Prepared {
  readonly data: RunData;
  /** In the tiles of a run that goes on; one that begins is looked at in the default ones, before it finds quicker ones. */
  readonly options: TrainerOptions;
  /** The tiles of a run that goes on. */
  readonly tiles: TileChoices | undefined;
  /** The weight of each class in the loss; null where all count alike. */
  readonly classWeights: Float32Array | null;
  /** Where a run that goes on stands; undefined for one that begins. */
  readonly resumed: Resumed | undefined;
}

/**
 * Finds what cannot work before anything is compiled or written, for training and dry run alike: the adapter's precision, the
 * folder and its disk, too few photos, too large a batch, weights that are missing or do not fit, photos or masks that cannot
 * be used (all are read; what was resized is kept in the cache), and photos that are not those a run was begun with.
 *
 * @throws DataError, WeightsError, ConfigError, RunFolderError, RunError: each with a sentence for the user; the signal's
 *   reason.
 */
export async function prepare(
  job: Pick<TrainJob, "config" | "gpu" | "say" | "resume" | "signal" | "ranks">,
): Promise<Prepared> {
  const { config, gpu, say, resume, signal, ranks } = job;
  refuseUnknownPrecision(gpu, config);
  if (ranks) refuseUnequalShares(config, ranks.size);
  if (!resume) await checkRunFolder(config.out);
  const data = await openData(config, say, signal);
  say(describeData(data, config));
  refuseFewPhotos(data, config);
  const begins = !resume || !(await resume.holds(resume.checkpoint("last")));
  if (begins) await checkClassWeights(config, data.photos.classNames);
  const tiles = resume && (await readTiles(resume.tiles, say));
  const options = inTiles(trainerOptions(config, data, signal, ranks), tiles ?? {});
  await refuseLargeBatch(gpu, options, data.training.size);
  const target = kernelTarget(gpu, options.tileFor);
  await refuseFullDisk(resume?.path ?? config.out, options, target);
  let hasHead = false;
  // A run that stands somewhere has its own.
  if (begins) {
    const weights =
      config.weights === null ? null : await checkInitialWeights(config.weights, options, target);
    if (weights?.remark) say(weights.remark);
    hasHead = weights?.values.has(HEAD_BIAS) ?? false;
    for (const sentence of freezingRemarks(config, weights)) say(sentence);
  }
  await data.read({ signal });
  if (!resume && !config.overfitBatch)
    for (const sentence of await describeClasses(data, config.data)) say(sentence);
  const resumed = resume && (await takeUp(resume, data, say));
  const weights = await decideClassWeights(config, data.photos, resume);
  const { monitor, remark } = await chooseMonitor(config, data.validation);
  say(remark);
  const headBias =
    config.headBias === "frequencies" && begins && !hasHead
      ? biasOfFrequencies(await classPixels(data.photos), weights)
      : null;
  return { data, options: { ...options, monitor, headBias }, tiles, classWeights: weights, resumed };
}

function describeData({ photos, validation }: RunData, { data, overfitBatch }: TrainConfig): string {
  const where = data === null ? ": drawn people in clothes, as there is no --data" : ` from ${data}`;
  if (overfitBatch) return `One batch of ${photos.size} photos to train and validate on${where}`;
  return `${photos.size} photos to train on, ${validation.size} to validate on${where}`;
}

/** @throws ConfigError when a batch cannot be cut into equal parts for all ranks */
function refuseUnequalShares({ batchSize, accumulate }: TrainConfig, ranks: number): void {
  const parts = accumulate * ranks;
  if (batchSize % parts === 0) return;
  const each = accumulate === 1 ? "" : `, each in ${accumulate} micro-batches`;
  throw new ConfigError(
    `${ranks} ranks cut a batch into equal parts${each}, and --batch-size ${batchSize} is no multiple of ${parts}: give ` +
      `--batch-size ${Math.ceil(batchSize / parts) * parts}, for example.`,
  );
}

/** @throws ConfigError when the training photos fill no batch, and what fills none is to be left out. */
function refuseFewPhotos({ training }: RunData, { batchSize, dropRemainder }: TrainConfig): void {
  if (!dropRemainder || training.size >= batchSize) return;
  const photos = training.size === 1 ? "1 training photo does" : `${training.size} training photos do`;
  throw new ConfigError(
    `${photos} not fill a batch of ${batchSize}: give more photos, --batch-size ${training.size}, or ` +
      `--no-drop-remainder, which takes a smaller batch.`,
  );
}
