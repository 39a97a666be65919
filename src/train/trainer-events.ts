import type { Plan } from "../graph/plan.ts";
import type { Evaluation } from "../runs/evaluation.ts";
import type { HistoryRow } from "../runs/history.ts";
import type { StepResult } from "../runs/observer.ts";
import type { Phase } from "../runs/phase.ts";
import type { TrainingState } from "../runs/training-state.ts";

/** What came of an epoch. */
export interface EpochOutcome {
  /** Its line of `history.csv`. */
  readonly row: HistoryRow;
  /** Over the validation photos. */
  readonly validation: Evaluation;
}

/** What a trainer tells of as it goes; each may take its time, the trainer waits. */
export interface TrainerEvents {
  /** A phase's training step has been planned and compiled. */
  phase?(phase: Phase, plan: Plan): void | Promise<void>;
  /** A training step has come back. */
  step?(result: StepResult): void;
  /** An epoch has ended, or was cut short by a limit. */
  epoch?(outcome: EpochOutcome): void | Promise<void>;
  /** `state` and the variables belong together now and can be kept: an epoch has ended, or the run is about to stop. */
  checkpoint?(state: TrainingState): void | Promise<void>;
}

/** Why a run came to its end: everything was done, or a limit of steps or time was reached. */
export type Ending = "finished" | "limit";
