const REASONS = {
  loss: (where: string) => `the loss of ${where} is not a finite number.`,
  gradients: (where: string) =>
    `half precision overflows in ${where}, and has for so long that the loss is scaled by 1, so nothing is learned any more.`,
} as const;

/** Where in a run a step is. */
export interface StepPlace {
  /** From 1, counted through both phases. */
  readonly epoch: number;
  /** From 1 within the epoch. */
  readonly step: number;
}

/** The loss became infinite or no number, or every step overflows in half precision. */
export class TrainingDivergedError extends Error {
  /** The step in which it was seen. */
  readonly step: StepPlace;
  /** Steps of the run that went well. */
  readonly goodSteps: number;

  constructor(step: StepPlace, goodSteps: number, what: keyof typeof REASONS) {
    super(`Training diverged: ${REASONS[what](`step ${step.step} of epoch ${step.epoch}`)}`);
    this.name = "TrainingDivergedError";
    this.step = step;
    this.goodSteps = goodSteps;
  }
}
