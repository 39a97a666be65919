const REASONS = {
  loss: (where: string) => `the loss of ${where} is not a finite number.`,
  gradients: (where: string) =>
    `half precision overflows in ${where}, and has for so long that the loss is scaled by 1, so nothing is learned any more.`,
} as const;

/** The loss became infinite or no number, or every step overflows in half precision. */
export class TrainingDivergedError extends Error {
  readonly step: { readonly epoch: number; readonly step: number };
  /** Steps of the run that went well. */
  readonly goodSteps: number;

  constructor(step: { epoch: number; step: number }, goodSteps: number, what: keyof typeof REASONS) {
    super(`Training diverged: ${REASONS[what](`step ${step.step} of epoch ${step.epoch}`)}`);
    this.name = "TrainingDivergedError";
    this.step = step;
    this.goodSteps = goodSteps;
  }
}
