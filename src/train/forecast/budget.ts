import { isRandom } from "../../data/augment.ts";
import { subset } from "../../data/subset.ts";
import { openBudget } from "../../config/index.ts";
import type { TrainConfig } from "../../config/index.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Phase } from "../../runs/phase.ts";
import { phaseName } from "../../runs/phase.ts";
import { formatDuration } from "../../runs/progress.ts";
import { featureBudget, photosWithin } from "../phase/feature-cache.ts";
import { takesSkips } from "../phase/programs.ts";
import { evaluatorSpec } from "../phase/validation.ts";
import { endPictures, predictionsPicture } from "../pictures.ts";
import type { Prepared } from "../prepare.ts";
import type { TrainJob } from "../run.ts";
import type { RunData } from "../run-data.ts";
import { Trainer } from "../trainer.ts";
import type { EpochOutcome } from "../trainer-events.ts";
import { phasesOf } from "../trainer-options.ts";
import type { TrainerOptions } from "../trainer-options.ts";
import { encodingSeconds, estimateSeconds } from "./estimate.ts";
import { secondsOf, stepsWithin } from "./steps-within.ts";
import type { PhaseCost, RunCost } from "./steps-within.ts";

/** Steps of a phase that warm up, and that are then timed: a GPU takes some for its clocks to rise, and makes them quickly. */
const STEPS = { software: { warm: 1, timed: 3 }, hardware: { warm: 4, timed: 16 } } as const;
/** Batches that are validated for it. */
const BATCHES = 3;
/** The part of a budget that is left for what is not timed, checkpoints above all. */
const RESERVE = 0.03;

/** What was measured for a budget, and chosen. */
export interface Budgeted {
  readonly stepsPerEpoch: number;
  /** Seconds of a step of each phase, and of all that ends an epoch. */
  readonly step: Readonly<Partial<Record<Phase, number>>>;
  readonly epochEnd: number;
  /** Of the whole run, from its start on. */
  readonly total: number;
  /** All of this for the user, with the flag that makes the same run elsewhere. */
  readonly sentence: string;
}

/**
 * A run with as many steps an epoch as its budget allows; as it is where it has none, or they have been chosen before.
 *
 * @param start of the run (`performance.now()`), since when it has been setting up.
 * @throws as `Trainer.run` does.
 */
export async function withinBudget<Job extends Pick<TrainJob, "config" | "gpu" | "say" | "resume">>(
  job: Job,
  prepared: Pick<Prepared, "data" | "options" | "classWeights">,
  start: number,
): Promise<{ job: Job; data: RunData; options: TrainerOptions; budgeted: Budgeted | null }> {
  const { data, options } = prepared;
  const { config, say, resume } = job;
  const budget = openBudget(config);
  if (budget === null) {
    if (config.budget !== null && !resume) {
      const chosen = `${config.stepsPerEpoch} steps an epoch were chosen before`;
      say(`For a budget of ${formatDuration(config.budget)} ${chosen}, and are taken as they are.`);
    }
    return { job, data, options, budgeted: null };
  }
  const budgeted = await chooseSteps(job, prepared, budget, start);
  const { stepsPerEpoch } = budgeted;
  say(budgeted.sentence);
  return {
    job: { ...job, config: { ...config, stepsPerEpoch } },
    data: { ...data, stepsPerEpoch },
    options: { ...options, stepsPerEpoch },
    budgeted,
  };
}

/**
 * Times a few steps of each phase and the validation of a batch, as the run will make them but on variables of their own, which are
 * thrown away, and chooses how many steps an epoch gets for the run to end in time. What was compiled stays in the device's cache.
 *
 * @param budget seconds of the run.
 */
async function chooseSteps(
  { gpu, config }: Pick<TrainJob, "config" | "gpu">,
  { data, options, classWeights }: Pick<Prepared, "data" | "options" | "classWeights">,
  budget: number,
  start: number,
): Promise<Budgeted> {
  const { step, validation, picture, pictures } = await timeRun(gpu, options, data, classWeights);
  const encoding = phasesOf(options).some((phase) => takesSkips(options, phase))
    ? await encodingSeconds(gpu, options)
    : 0;
  const epochEnd = validation + picture;
  const estimates: number[] = [];
  for (const phase of phasesOf(options)) estimates.push(await estimateSeconds(gpu, options, phase));
  const phases = phasesOf(options).map((phase, i): PhaseCost => {
    const encodes = takesSkips(options, phase);
    return {
      epochs: options.epochs[phase],
      // All photos were new.
      step: encodes ? Math.max(step[phase]! - encoding, step[phase]! / 10) : step[phase]!,
      encoding: encodes
        ? { seconds: encoding, steps: newSteps(config, options, data) }
        : { seconds: 0, steps: 0 },
      epochEnd: epochEnd + estimates[i],
    };
  });
  const spent = (performance.now() - start) / 1000;
  const cost: RunCost = { fixed: spent + pictures + RESERVE * budget, phases };
  const stepsPerEpoch = await agreed(options, stepsWithin(budget, cost));
  const total = secondsOf(cost, stepsPerEpoch);
  const each = phases.map(
    ({ step }, i) => `${step.toPrecision(2)} s (${phaseName(phasesOf(options)[i], config.freeze)})`,
  );
  const steps = stepsPerEpoch === 1 ? "1 step" : `${stepsPerEpoch} steps`;
  const taking = `${steps} an epoch ${stepsPerEpoch === 1 ? "takes" : "take"} about ${formatDuration(total)} in all`;
  return {
    stepsPerEpoch,
    step,
    epochEnd,
    total,
    sentence:
      `A step takes ${each.join(" and ")} and the end of an epoch ${Math.max(...phases.map(({ epochEnd: end }) => end)).toPrecision(2)} s: ` +
      `${total <= budget ? taking : `even ${taking}, longer than --budget allows`} (--steps-per-epoch ${stepsPerEpoch} makes the same run elsewhere).`,
  };
}

/** Of ranks, what the slowest has time for. */
async function agreed({ ranks }: TrainerOptions, steps: number): Promise<number> {
  if (!ranks) return steps;
  const least = Uint32Array.of(steps);
  await ranks.meet("choice of the steps");
  await ranks.allReduce("choice of the steps", least, "min");
  return least[0];
}

interface Timed {
  readonly step: Partial<Record<Phase, number>>;
  readonly validation: number;
  /** Of an epoch's end, and those of the run's. */
  readonly picture: number;
  readonly pictures: number;
}

async function timeRun(
  gpu: Gpu,
  options: TrainerOptions,
  data: RunData,
  classWeights: Float32Array | null,
): Promise<Timed> {
  const { warm, timed } = STEPS[gpu.isSoftware ? "software" : "hardware"];
  const epochs = {
    frozen: Math.min(1, options.epochs.frozen),
    finetune: Math.min(1, options.epochs.finetune),
  };
  const trainer = await Trainer.create(gpu, {
    ...options,
    ...{ epochs, stepsPerEpoch: warm + timed, patience: null, maxSteps: null, time: null },
    bnReestimate: 0,
    // Nothing is learned, so nothing can diverge.
    ...{ learningRate: { frozen: 0, finetune: 0 }, schedule: "constant", warmupSteps: 0 },
  });
  try {
    const { batchSize } = evaluatorSpec(options);
    const photos = Math.min(BATCHES * batchSize, data.validation.size);
    const few = subset(data.validation, [...Array(photos).keys()]);
    const arrivals: Record<Phase, number[]> = { frozen: [], finetune: [] };
    let last: EpochOutcome | undefined;
    await trainer.run(
      { training: data.training, validation: few, classWeights },
      {
        step: ({ phase }) => arrivals[phase].push(performance.now()),
        epoch: (outcome) => void (last = outcome),
      },
    );
    const { row, validation } = last!;
    const step = Object.fromEntries(
      phasesOf(options).map((phase) => {
        const times = arrivals[phase];
        return [phase, (times.at(-1)! - times[warm - 1]) / 1000 / timed];
      }),
    );
    const evaluated = await seconds(() => trainer.evaluate(few));
    await predictionsPicture(few, validation, "");
    return {
      step,
      validation: (evaluated * Math.ceil(data.validation.size / batchSize)) / Math.ceil(photos / batchSize),
      picture: await seconds(() => predictionsPicture(few, validation, "")),
      pictures: await seconds(() => endPictures([row], few, validation, "")),
    };
  } finally {
    trainer.destroy();
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** How many steps take photos that a frozen encoder has not seen, at most. */
function newSteps(
  { augment, augmentMode, overfitBatch }: TrainConfig,
  options: TrainerOptions,
  { training }: RunData,
): number {
  const drawn = augment === null || overfitBatch || augmentMode === "copies" ? [] : augment;
  if (drawn.some(isRandom)) return Infinity;
  const variants = 2 ** drawn.filter((name) => name !== "original").length;
  const photos = training.size * variants;
  return photos > photosWithin(featureBudget(), options) ? Infinity : Math.ceil(photos / options.batchSize);
}
