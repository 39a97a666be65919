import type { DispatchTime } from "../../gpu/profiler.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { kernelTarget } from "../../graph/kernel-target.ts";
import { plan } from "../../graph/plan.ts";
import { kernelTimes, printKernelTimes } from "../../graph/profile.ts";
import { microBatchSize } from "../phase/accumulation.ts";
import { trainingStep } from "../phase/programs.ts";
import { phaseName } from "../../runs/phase.ts";
import { phasesOf } from "../trainer-options.ts";
import type { TrainerOptions } from "../trainer-options.ts";
import { onTrial } from "./trial.ts";

/** `plan`: what each phase's step runs; `kernels`: also how long each kernel takes on this adapter. */
export type StepDetail = "plan" | "kernels";

/** Steps timed, after one that warms up. */
const TIMED = 3;

/**
 * Says what a step of each phase runs, dispatch by dispatch, and how long each kernel takes: on zeros and over variables of
 * its own, so that the run is the same as without.
 */
export async function describeSteps(
  gpu: Gpu,
  options: TrainerOptions,
  detail: StepDetail,
  say: (lines: string) => void,
): Promise<void> {
  const spec = { ...options, batchSize: microBatchSize(options) };
  for (const phase of phasesOf(options)) {
    const step = trainingStep(spec, phase);
    const name = phaseName(phase, options.freeze ?? "encoder");
    say(
      `A step of ${spec.batchSize} photos (${name}):\n${plan(step, kernelTarget(gpu, options.tileFor)).print()}`,
    );
    if (detail !== "kernels") continue;
    if (!gpu.features.has("timestamp-query")) {
      say(`${gpu.adapterName} cannot time its kernels: it has no timestamp-query.`);
      continue;
    }
    const times = await onTrial(gpu, { ...step, tileFor: options.tileFor }, async (program, feeds) => {
      await program.run(feeds);
      const runs: DispatchTime[][] = [];
      for (let i = 0; i < TIMED; i++) runs.push(await program.profile(feeds));
      return kernelTimes(program.plan.dispatches, runs);
    });
    say(`Kernels of a step (${name}), mean of ${TIMED}:\n${printKernelTimes(times)}`);
  }
}
