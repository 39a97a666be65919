import type { TrainConfig } from "../../config/index.ts";

export interface LearningRateOptions {
  /** The phase's rate, at its highest. */
  readonly base: number;
  /** See {@link SCHEDULES}. */
  readonly schedule: TrainConfig["schedule"];
  /** Steps over which the rate rises linearly before the schedule begins. */
  readonly warmupSteps: number;
  /** Steps of the phase. */
  readonly steps: number;
}

/** The learning rate of a phase's step, counted from 0. */
export function learningRateAt(
  step: number,
  { base, schedule, warmupSteps, steps }: LearningRateOptions,
): number {
  if (step < warmupSteps) return (base * (step + 1)) / (warmupSteps + 1);
  return base * SCHEDULES[schedule](step - warmupSteps, Math.max(1, steps - warmupSteps));
}

/** DeepLab's (Chen et al. 2017). */
const POLY_POWER = 0.9;

/** The share of the highest rate that a step of so many has, counted from 0. */
const SCHEDULES: Readonly<Record<TrainConfig["schedule"], (step: number, steps: number) => number>> = {
  constant: () => 1,
  /** `(1 + cos(π · step / steps)) / 2`: Keras `CosineDecay` with `alpha` 0. */
  cosine: (step, steps) => (1 + Math.cos(Math.PI * Math.min(1, step / steps))) / 2,
  /** `(1 − step / steps) ^ 0.9`: PyTorch `PolynomialLR`, Keras `PolynomialDecay` with `end_learning_rate` 0. */
  poly: (step, steps) => (1 - Math.min(1, step / steps)) ** POLY_POWER,
  "one-cycle": oneCycle,
};

/**
 * PyTorch `OneCycleLR` (Smith & Topin 2018) with its defaults, but that momentum stays what it is: along a cosine from 1/25 to 1 over the
 * first 30 % of the steps, then along another to 1/250,000 in the last one.
 */
function oneCycle(step: number, steps: number): number {
  const [first, last] = [1 / 25, 1 / 25 / 1e4];
  const [peak, end] = [0.3 * steps - 1, steps - 1];
  if (step <= peak) return alongCosine(first, 1, step / peak);
  return alongCosine(1, last, Math.min(1, (step - peak) / (end - peak)));
}

const alongCosine = (from: number, to: number, share: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;

/** `0.001 falling to 1e-5`: the rates of a phase's steps. */
export function learningRateText(options: LearningRateOptions): string {
  const { base, schedule, steps } = options;
  if (schedule === "constant") return String(base);
  const [first, last] = [0, steps - 1].map((step) => learningRateAt(step, options).toPrecision(2));
  return schedule === "one-cycle"
    ? `rising from ${first} to ${base} and falling to ${last}`
    : `${base} falling to ${last}`;
}
