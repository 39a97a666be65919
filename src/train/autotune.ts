import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GpuError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { isTile } from "../graph/autotune/record.ts";
import { autotune, tilesFrom } from "../graph/autotune/autotune.ts";
import type { TileChoices, AutotuneCache } from "../graph/autotune/autotune.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { whatIsMissing } from "./forecast/memory.ts";
import { microBatchSize } from "./phase/accumulation.ts";
import { makeFolder } from "../files/make-folder.ts";
import { evaluatorSpec } from "./phase/validation.ts";
import { evaluator, trainingStep } from "./phase/programs.ts";
import type { TrainJob } from "./run.ts";
import { phasesOf } from "./trainer-options.ts";
import type { TrainerOptions } from "./trainer-options.ts";

/** Where measurements are kept from run to run. */
export const TUNING_FOLDER = ".cache/tuning";

/**
 * The tiles in which a new run computes its matrix products: the quickest on the adapter, which are timed there unless the
 * cache knows them; on one that runs on the CPU only where it is asked for. Others than the default may take more memory:
 * where a batch that fits does not fit in them, it is the default ones.
 *
 * @param options whose batch fits in the default tiles.
 * @param trainingPhotos of one pass, copies included.
 * @param limits.available bytes there are, as `refuseLargeBatch` takes it.
 */
export async function autotunedTiles(
  { gpu, config, say }: Pick<TrainJob, "gpu" | "config" | "say">,
  options: TrainerOptions,
  trainingPhotos: number,
  {
    folder = TUNING_FOLDER,
    seconds,
    available,
  }: { folder?: string; seconds?: number; available?: number | null } = {},
): Promise<TileChoices> {
  const wanted = config.tune === "on" || (config.tune === "auto" && !gpu.isSoftware);
  if (!wanted) return {};
  const choices = await timed(gpu, options, { cache: autotuneFile(gpu, folder, say), seconds, say });
  if (Object.keys(choices).length === 0) return {};
  const missing = await whatIsMissing(gpu, inTiles(options, choices), trainingPhotos, available);
  if (missing === null) return choices;
  say(`${missing} in the quickest tiles: the matrix products are computed in the default ones.`);
  return {};
}

/** A run whose programs compute their matrix products so; none chosen is the default. */
export const inTiles = (options: TrainerOptions, choices: TileChoices): TrainerOptions => ({
  ...options,
  tileFor: tilesFrom(choices),
});

async function timed(
  gpu: Gpu,
  options: TrainerOptions,
  { cache, seconds, say }: { cache: AutotuneFile; seconds: number | undefined; say: TrainJob["say"] },
): Promise<TileChoices> {
  const spec = { ...options, batchSize: microBatchSize(options) };
  const goals = [
    evaluator(evaluatorSpec(options)),
    ...phasesOf(options).map((phase) => trainingStep(spec, phase)),
  ];
  const start = performance.now();
  try {
    const { choices, measured, improved } = await autotune(gpu, {
      goals,
      cache,
      ...(seconds !== undefined && { seconds }),
      signal: options.signal,
      onWarning: say,
    });
    if (measured > 0) {
      const took = ((performance.now() - start) / 1000).toFixed(0);
      say(
        `Timed ${measured} kinds of matrix products in ${took} s: ${improved} are faster in other tiles than by default (${cache.path})`,
      );
    }
    return choices;
  } catch (error) {
    if (!(error instanceof GpuError) || error.kind === "lost") throw error;
    say(`The matrix products could not be timed (${error.message}): they are computed in the default tiles.`);
    return {};
  }
}

export interface AutotuneFile extends AutotuneCache {
  readonly path: string;
}

/** The file of measurements of an adapter. What happens to it is no error: it can be measured again. */
export function autotuneFile(
  { info }: Pick<Gpu, "info">,
  folder: string,
  say: (sentence: string) => void,
): AutotuneFile {
  const { vendor, architecture, device } = info;
  const name = [vendor, architecture, device].join("-").replace(/[^\w.]+/g, "-");
  const path = join(folder, `${name.replace(/^-+|-+$/g, "") || "adapter"}.json`);
  return {
    path,
    read: () => readFile(path, "utf8").catch(() => null),
    async write(text) {
      try {
        await makeFolder(dirname(path));
        await writeFileAtomically(path, [new TextEncoder().encode(text)]);
      } catch (error) {
        say(`What was measured cannot be kept in ${path} (${(error as Error).message}).`);
      }
    },
  };
}

/** The tiles that a run has begun with, for others may give other bits; the default ones where it has none. */
export async function readTiles(file: string, say: TrainJob["say"]): Promise<TileChoices> {
  const text = await readFile(file, "utf8").catch(() => "{}");
  try {
    const choices: unknown = JSON.parse(text);
    if (typeof choices === "object" && choices !== null && Object.values(choices).every(isTile))
      return choices as TileChoices;
  } catch {
    // Said below.
  }
  say(`${file} is damaged: going on in the default tiles, whose last bits may differ.`);
  return {};
}
