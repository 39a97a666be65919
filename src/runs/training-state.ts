import { z } from "zod";
import { START } from "../data/batches.ts";
import type { BatchState } from "../data/batches.ts";
import type { HistoryRow } from "./history.ts";
import { PHASES } from "./phase.ts";
import type { Phase } from "./phase.ts";

/**
 * Where a run stands between two steps. With the variables' numbers (weights, moving statistics, optimizer's slots) it
 * decides all that follows: all chance is drawn from pure functions of the seed and of the counts here, so there is no
 * other random state to keep.
 */
export interface TrainingState {
  /** The phase that the next step belongs to. */
  readonly phase: Phase;
  /** Epochs ended, through both phases. */
  readonly epoch: number;
  /** Epochs ended of this phase. */
  readonly phaseEpoch: number;
  /** Steps made of the epoch under way. */
  readonly step: number;
  /** Sums over these steps, of which the epoch's means will be made. */
  readonly sums: { readonly loss: number; readonly accuracy: number };
  /** Steps made in all. */
  readonly globalStep: number;
  /** Where the phase's stream of batches stands. */
  readonly stream: BatchState;
  /** The epochs that ended. */
  readonly history: readonly HistoryRow[];
}

const NOTHING = { step: 0, sums: { loss: 0, accuracy: 0 } } as const;

/** Before the first step. */
export const INITIAL_STATE: TrainingState = {
  phase: "frozen",
  epoch: 0,
  phaseEpoch: 0,
  ...NOTHING,
  globalStep: 0,
  stream: START,
  history: [],
};

/** The state after one more step. */
export const afterStep = (
  state: TrainingState,
  { loss, accuracy, stream }: { loss: number; accuracy: number; stream: BatchState },
): TrainingState => ({
  ...state,
  step: state.step + 1,
  globalStep: state.globalStep + 1,
  sums: { loss: state.sums.loss + loss, accuracy: state.sums.accuracy + accuracy },
  stream,
});

/** The state after the epoch under way has ended. */
export const afterEpoch = (state: TrainingState, row: HistoryRow): TrainingState => ({
  ...state,
  ...NOTHING,
  epoch: state.epoch + 1,
  phaseEpoch: state.phaseEpoch + 1,
  history: [...state.history, row],
});

/** The state at the beginning of a phase: with it a fit of its own begins, whose stream of batches is its own too. */
export const atPhase = (state: TrainingState, phase: Phase): TrainingState => ({
  ...state,
  ...NOTHING,
  phase,
  phaseEpoch: 0,
  stream: START,
});

const count = z.number().int().min(0);
const schema: z.ZodType<TrainingState> = z.object({
  phase: z.enum(PHASES),
  epoch: count,
  phaseEpoch: count,
  step: count,
  sums: z.object({ loss: z.number(), accuracy: z.number() }),
  globalStep: count,
  stream: z.object({ epoch: count, position: count }),
  history: z.array(
    z.object({
      epoch: count,
      phase: z.enum(PHASES),
      loss: z.number(),
      accuracy: z.number(),
      valLoss: z.number(),
      valAccuracy: z.number(),
      valMeanIou: z.number(),
      // Earlier versions did not compute them.
      valDice: z.number().nullable().default(null),
      valFwIou: z.number().nullable().default(null),
      seconds: z.number(),
    }),
  ),
});

/** A state from a checkpoint's metadata; null when the text is none. JSON keeps a double's every bit. */
export function parseState(text: string | undefined): TrainingState | null {
  if (text === undefined) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
