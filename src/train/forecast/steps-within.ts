/** @file How many steps an epoch may have for a run to take no longer than it is to. */

/** What a phase takes, in seconds. */
export interface PhaseCost {
  /** At least one. */
  readonly epochs: number;
  /** Of a step; above 0. */
  readonly step: number;
  /** That a step takes longer whose photos a frozen encoder has not seen, and how many steps of the phase are such; infinitely many if all. */
  readonly encoding: { readonly seconds: number; readonly steps: number };
  /** At the end of an epoch: validation, its picture and checkpoints. */
  readonly epochEnd: number;
}

/** What a run takes, in seconds. */
export interface RunCost {
  /** Whatever the steps: what came before the first and comes after the last. */
  readonly fixed: number;
  readonly phases: readonly PhaseCost[];
}

/** Seconds of a run whose epochs have so many steps. */
export function secondsOf({ fixed, phases }: RunCost, stepsPerEpoch: number): number {
  return phases.reduce((sum, { epochs, step, encoding, epochEnd }) => {
    const steps = epochs * stepsPerEpoch;
    return sum + steps * step + Math.min(steps, encoding.steps) * encoding.seconds + epochs * epochEnd;
  }, fixed);
}

/** The most steps an epoch with which a run takes no longer than `budget` seconds, the same in all phases; one where none does. */
export function stepsWithin(budget: number, cost: RunCost): number {
  let [fitting, exceeding] = [1, 2];
  while (secondsOf(cost, exceeding) <= budget) [fitting, exceeding] = [exceeding, 2 * exceeding];
  while (exceeding - fitting > 1) {
    const middle = Math.floor((fitting + exceeding) / 2);
    if (secondsOf(cost, middle) <= budget) fitting = middle;
    else exceeding = middle;
  }
  return fitting;
}
