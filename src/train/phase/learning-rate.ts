export interface LearningRateOptions {
  /** The phase's rate, at its highest. */
  readonly base: number;
  /** `cosine`: `base · (1 + cos(π · step / steps)) / 2`, as Keras `CosineDecay` with `alpha` 0. */
  readonly schedule: "constant" | "cosine";
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
  if (schedule === "constant") return base;
  const share = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return (base * (1 + Math.cos(Math.PI * Math.min(1, share)))) / 2;
}
