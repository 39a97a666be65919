import { subset } from "../data/subset.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Trainer } from "./trainer.ts";
import { TrainingDivergedError } from "./training-diverged-error.ts";
import type { Resumed, TrainerData } from "./trainer-data.ts";
import type { TrainerOptions } from "./trainer-options.ts";

/**
 * Finds where a run that diverged went wrong. Runs are reproducible bit for bit, so it is made again from its last
 * checkpoint up to the step in question, and that step's tensors are looked at in the order they are computed.
 *
 * @param beginning the run's last checkpoint; undefined for its beginning.
 * @param goodSteps steps of the run that went well.
 * @returns how to call the first tensor that is not finite; null when none was found.
 */
export async function diagnose(
  gpu: Gpu,
  options: TrainerOptions,
  data: TrainerData,
  beginning: Resumed | undefined,
  goodSteps: number,
): Promise<string | null> {
  const trainer = await Trainer.create(
    gpu,
    { ...options, maxSteps: goodSteps, time: null, bnReestimate: 0 },
    beginning,
  );
  try {
    await trainer.run({ ...data, validation: subset(data.validation, [0]) }).catch((error: unknown) => {
      if (!(error instanceof TrainingDivergedError)) throw error;
    });
    return await trainer.firstNonFinite(data);
  } finally {
    trainer.destroy();
  }
}
