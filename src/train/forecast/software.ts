import { toSize } from "../../image-size.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { ConfigError, openBudget } from "../../config/index.ts";
import type { TrainConfig } from "../../config/index.ts";
import { estimateTime } from "./estimate.ts";
import { formatDuration } from "../../runs/progress.ts";
import type { TrainerOptions } from "../trainer-options.ts";

/** Seconds that a run may take an adapter which runs on the CPU, unless it is asked for. */
const LONG = 12 * 3600;
/** Pixels that any computer trains on within that time: shorter runs are not timed first. */
const SHORT_PIXELS = 5e7;

/**
 * Keeps somebody whose GPU was not found from waiting for days.
 *
 * @throws ConfigError when the adapter runs on the CPU and the run would take it more than half a day.
 */
export async function refuseLongSoftwareRun(
  gpu: Gpu,
  config: TrainConfig,
  options: TrainerOptions,
  validationPhotos: number,
): Promise<void> {
  const { allowSoftware } = config;
  const time = openBudget(config) ?? config.time;
  const { height, width } = toSize(options.imageSize);
  const { batchSize, epochs, stepsPerEpoch, maxSteps } = options;
  const all = (epochs.frozen + epochs.finetune) * stepsPerEpoch;
  const steps = Math.min(all, maxSteps ?? all);
  const short = steps * batchSize * height * width < SHORT_PIXELS || (time !== null && time < LONG);
  if (!gpu.isSoftware || allowSoftware || short) return;
  const { total } = await estimateTime(gpu, options, validationPhotos);
  if (total < LONG) return;
  throw new ConfigError(
    `${gpu.adapterName} runs on the CPU and would take about ${formatDuration(total)} hours for this run: use a GPU, ` +
      `take --preset quick for a first result, or give --allow-software to wait.`,
  );
}
