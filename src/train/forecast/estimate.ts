import type { Gpu } from "../../gpu/gpu.ts";
import type { Goals } from "../../graph/plan.ts";
import { kernelTarget } from "../../graph/kernel-target.ts";
import type { TileFor } from "../../kernels/tiling.ts";
import { microBatchSize } from "../phase/accumulation.ts";
import { encoderSpec } from "../phase/frozen-encoder.ts";
import { statisticsGoals } from "../phase/norm-statistics.ts";
import { encoder, evaluator, takesSkips, trainingStep } from "../phase/programs.ts";
import type { Phase } from "../../runs/phase.ts";
import { evaluatorSpec } from "../phase/validation.ts";
import { onTrial } from "./trial.ts";
import { phasesOf } from "../trainer-options.ts";
import type { TrainerOptions } from "../trainer-options.ts";

/** Photos of a step that is timed on an adapter that runs on the CPU; time grows with them there. */
const SOFTWARE_BATCH = 2;
/** Steps timed, after one that warms up. */
const TIMED = 2;

export interface TimeEstimate {
  /** Seconds of a step of each phase, and of the evaluation of a batch. */
  readonly step: Readonly<Partial<Record<Phase, number>>>;
  readonly evaluation: number;
  /** Seconds that a step of the first phase takes longer where features are cached and all its photos are new; else null. */
  readonly encoding: number | null;
  /** Seconds of the whole run (up to `maxSteps`), compilation and reading aside, were every photo new. */
  readonly total: number;
}

/** Times a few steps of each phase on the adapter and reckons from them how long a run takes. */
export async function estimateTime(
  gpu: Gpu,
  options: TrainerOptions,
  validationPhotos: number,
): Promise<TimeEstimate> {
  const together = microBatchSize(options);
  const batchSize = gpu.isSoftware ? Math.min(SOFTWARE_BATCH, together) : together;
  const scale = options.batchSize / batchSize;
  const spec = { ...options, batchSize };
  const step: Partial<Record<Phase, number>> = {};
  const { stepsPerEpoch, maxSteps, tileFor } = options;
  let total = 0;
  let left = maxSteps ?? Infinity;
  let epochs = 0;
  let encoding: number | null = null;
  for (const phase of phasesOf(options)) {
    const steps = Math.min(left, options.epochs[phase] * stepsPerEpoch);
    left -= steps;
    epochs += Math.ceil(steps / stepsPerEpoch);
    const seconds = scale * (await secondsARun(gpu, trainingStep(spec, phase), tileFor));
    step[phase] = seconds;
    if (takesSkips(spec, phase)) {
      encoding = await encodingSeconds(gpu, options);
      total += steps * encoding;
    }
    total += steps * seconds;
    total += Math.ceil(steps / stepsPerEpoch) * (await estimateSeconds(gpu, options, phase));
  }
  const evaluation =
    scale * (await secondsARun(gpu, evaluator({ ...evaluatorSpec(options), batchSize }), tileFor));
  total += epochs * Math.ceil(validationPhotos / options.batchSize) * evaluation;
  return { step, evaluation, encoding, total };
}

/** Seconds that the frozen encoder takes for the photos of a step. */
export async function encodingSeconds(gpu: Gpu, options: TrainerOptions): Promise<number> {
  const own = encoderSpec(options, kernelTarget(gpu));
  return (options.batchSize / own.batchSize) * (await secondsARun(gpu, encoder(own), options.tileFor));
}

/** Seconds that it takes before a validation to estimate moving statistics anew; drawing the batches is not counted. */
export async function estimateSeconds(gpu: Gpu, options: TrainerOptions, phase: Phase): Promise<number> {
  const { bnReestimate = 0, batchSize, tileFor } = options;
  const spec = { ...options, batchSize: microBatchSize(options) };
  const goals = bnReestimate > 0 ? statisticsGoals(spec, phase) : null;
  if (goals === null) return 0;
  return bnReestimate * (batchSize / spec.batchSize) * (await secondsARun(gpu, goals, tileFor));
}

const secondsARun = (gpu: Gpu, goals: Goals, tileFor: TileFor | undefined): Promise<number> =>
  onTrial(gpu, { ...goals, tileFor }, async (program, feeds) => {
    await program.run(feeds);
    await gpu.idle();
    const start = performance.now();
    for (let i = 0; i < TIMED; i++) await program.run(feeds);
    await gpu.idle();
    return (performance.now() - start) / 1000 / TIMED;
  });
