/** @file What ends a phase or a run. */
import { bestRow } from "../../runs/monitor.ts";
import type { TrainingState } from "../../runs/training-state.ts";
import type { TrainerOptions } from "../trainer-options.ts";

/** Whether a phase has had its epochs, or has not become better for as many as its patience lasts. */
export function phaseEnded(
  { epochs, patience, monitor }: Pick<TrainerOptions, "epochs" | "patience" | "monitor">,
  { phase, phaseEpoch, history }: TrainingState,
): boolean {
  if (phaseEpoch >= epochs[phase]) return true;
  const rows = history.filter((row) => row.phase === phase);
  const best = bestRow(rows, monitor);
  return patience !== null && best !== null && rows.at(-1)!.epoch - best.epoch >= patience;
}

/** Whether a run that began at `start` (`performance.now()`) may make no further step. */
export const limitReached = (
  options: Pick<TrainerOptions, "maxSteps" | "time">,
  { globalStep }: TrainingState,
  start: number,
): boolean => (options.maxSteps !== null && globalStep >= options.maxSteps) || outOfTime(options, start);

export const outOfTime = ({ time }: Pick<TrainerOptions, "time">, start: number): boolean =>
  time !== null && performance.now() - start >= 1000 * time;
