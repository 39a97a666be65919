import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GpuError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { isTile } from "../graph/autotune/record.ts";
import { tilesFrom, tune } from "../graph/autotune/autotune.ts";
import type { TileChoices, TuningCache } from "../graph/autotune/autotune.ts";
import { useTiles } from "../graph/kernel-target.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { microBatchSize } from "./phase/accumulation.ts";
import { makeFolder } from "../files/make-folder.ts";
import { evaluator, trainingStep } from "./phase/programs.ts";
import type { TrainJob } from "./run.ts";
import { phasesOf } from "./trainer-options.ts";
import type { TrainerOptions } from "./trainer-options.ts";

/** Where measurements are kept from run to run. */
const CACHE = ".cache/tuning";

/**
 * Decides in which tiles the run computes its matrix products, and has everything that is compiled for its GPU use them.
 * A new run times them on the adapter, one that runs on the CPU only where it is asked to; one that goes on keeps its own,
 * for other tiles may give other bits.
 */
export async function chooseTiles(
  { gpu, config, resume, say }: TrainJob,
  options: TrainerOptions,
  { folder = CACHE, seconds }: { folder?: string; seconds?: number } = {},
): Promise<TileChoices> {
  const wanted = config.tune === "on" || (config.tune === "auto" && !gpu.isSoftware);
  // From here on the default ones, whatever a run before has chosen.
  useTiles(gpu, tilesFrom({}));
  const choices = resume
    ? await readTiles(resume.tiles, say)
    : wanted
      ? await tuned(gpu, options, { cache: tuningFile(gpu, folder, say), seconds, say })
      : {};
  useTiles(gpu, tilesFrom(choices));
  return choices;
}

async function tuned(
  gpu: Gpu,
  options: TrainerOptions,
  { cache, seconds, say }: { cache: TuningFile; seconds: number | undefined; say: TrainJob["say"] },
): Promise<TileChoices> {
  const spec = { ...options, batchSize: microBatchSize(options) };
  const goals = [evaluator(spec), ...phasesOf(options).map((phase) => trainingStep(spec, phase))];
  const start = performance.now();
  try {
    const { choices, measured, improved } = await tune(gpu, {
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

export interface TuningFile extends TuningCache {
  readonly path: string;
}

/** The file of measurements of an adapter. What happens to it is no error: it can be measured again. */
export function tuningFile(
  { info }: Pick<Gpu, "info">,
  folder: string,
  say: (sentence: string) => void,
): TuningFile {
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

/** The tiles that a run has begun with; the default ones where it has none. */
async function readTiles(file: string, say: TrainJob["say"]): Promise<TileChoices> {
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
