import type { PlanSummary } from "../graph/plan.ts";
import type { Evaluation } from "./evaluation.ts";
import type { HistoryRow } from "./history.ts";
import { bestRow, monitored } from "./monitor.ts";
import type { Monitor } from "./monitor.ts";
import { PHASES } from "./phase.ts";
import type { RankTimes } from "./rank-times.ts";
import type { TrainingState } from "./training-state.ts";

/** What `summary.json` says of a run that came to its end. */
export interface Summary {
  /** Share of pixels told right on the validation photos, by the weights of the last epoch. */
  readonly val_accuracy: number;
  /** Mean loss on the validation photos, unweighted. */
  readonly val_loss: number;
  /** Mean intersection over union of the classes that the validation photos have. */
  readonly val_mean_iou: number;
  /** Mean Dice coefficient (F1) of the same classes. */
  readonly val_dice: number;
  /** IoU of each class weighed by its true pixels. */
  readonly val_fw_iou: number;
  /** Mean over the same classes of the share of their pixels told right. */
  readonly val_mean_accuracy: number;
  /** The accuracy of predicting class 0 everywhere on the same photos. */
  readonly background_accuracy: number;
  /** What decided which epoch is best. */
  readonly monitor: Monitor;
  /** From 1; 0 when there was no epoch. */
  readonly best_epoch: number;
  /** The value of what was monitored at the best epoch; null when there was no epoch. */
  readonly best_value: number | null;
  /** The accuracy of the best epoch, whatever was monitored. */
  readonly best_val_accuracy: number;
  /** Photos that were validated on. */
  readonly validation_photos: number;
  /** Epochs of both phases that were made. */
  readonly epochs: number;
  /** Training steps that were made. */
  readonly steps: number;
  /** Everything was done ("finished"), or `--max-steps` or `--time` ended it ("limit"). */
  readonly ending: "finished" | "limit";
  /** From start to end of this process: reading, compiling, training, validation and figures. */
  readonly seconds: number;
  /** Median seconds of an epoch of each phase, validation included. */
  readonly seconds_per_epoch: Readonly<Record<string, number>>;
  /** Seconds that steps waited for the next batch. */
  readonly data_wait_seconds: number;
  /** Share of that in all the time that steps took, from 0 to 1. */
  readonly data_wait_share: number;
  /** The adapter's name. */
  readonly adapter: string;
  /** Distinct pipelines of the last phase's training step. */
  readonly pipelines: number;
  /** The most bytes that were allocated on the GPU at any time, all programs together. */
  readonly peak_bytes: number;
  /** What the last phase's training step was planned to take. */
  readonly planned_peak_bytes: number;
  /** Of the last phase's training step; 0 when there was nothing left to train. */
  readonly dispatches_per_step: number;
  /** Seconds that each rank has spent in exchanges with the others, where several made the run: the slowest has waited least. */
  readonly rank_wait_seconds?: readonly number[];
  /** Of these the seconds that gradients were exchanged: from when a rank had some of its own until it had the sum of all ranks'. */
  readonly rank_exchange_seconds?: readonly number[];
  /** Share of the exchange of gradients, from 0 to 1, that passed while the rank's backward pass went on. */
  readonly rank_exchange_overlap?: readonly number[];
}

/** What a run leaves behind to be summed up. */
interface RunFacts {
  readonly rows: readonly HistoryRow[];
  readonly monitor: Monitor;
  /** Of the last epoch. */
  readonly validation: Evaluation;
  readonly ending: Summary["ending"];
  readonly state: TrainingState;
  /** Null when there was nothing left to train. */
  readonly plan: PlanSummary | null;
  readonly trainer: { readonly waitedMs: number; readonly steppedMs: number };
  readonly adapter: string;
  readonly peakBytes: number;
  readonly seconds: number;
  /** Of each rank; undefined of a process by itself. */
  readonly ranks?: readonly RankTimes[] | undefined;
}

export function summarise({
  rows,
  monitor,
  validation,
  ending,
  state,
  plan,
  trainer,
  ...facts
}: RunFacts): Summary {
  const best = bestRow(rows, monitor);
  const medians = PHASES.map((phase) => {
    const seconds = rows.filter((row) => row.phase === phase).map((row) => row.seconds);
    return [phase, median(seconds)] as const;
  });
  return {
    val_accuracy: validation.accuracy,
    val_loss: validation.loss,
    val_mean_iou: validation.meanIou,
    val_dice: validation.meanDice,
    val_fw_iou: validation.frequencyWeightedIou,
    val_mean_accuracy: validation.confusion.meanAccuracy,
    background_accuracy: validation.backgroundAccuracy,
    monitor,
    best_epoch: best?.epoch ?? 0,
    best_value: best && monitored(best, monitor),
    best_val_accuracy: best?.valAccuracy ?? validation.accuracy,
    validation_photos: validation.count,
    epochs: state.epoch,
    steps: state.globalStep,
    ending,
    seconds: facts.seconds,
    seconds_per_epoch: Object.fromEntries(medians.filter(([, seconds]) => seconds !== null)) as Record<
      string,
      number
    >,
    data_wait_seconds: trainer.waitedMs / 1000,
    data_wait_share: trainer.steppedMs > 0 ? trainer.waitedMs / trainer.steppedMs : 0,
    adapter: facts.adapter,
    pipelines: plan?.pipelines ?? 0,
    peak_bytes: facts.peakBytes,
    planned_peak_bytes: plan?.peakBytes ?? 0,
    dispatches_per_step: plan?.dispatches ?? 0,
    ...(facts.ranks && ofRanks(facts.ranks)),
  };
}

const ofRanks = (ranks: readonly RankTimes[]) => ({
  rank_wait_seconds: ranks.map(({ waited }) => waited),
  rank_exchange_seconds: ranks.map(({ exchanged }) => exchanged),
  rank_exchange_overlap: ranks.map(({ exchanged, overlapped }) =>
    exchanged > 0 ? overlapped / exchanged : 0,
  ),
});

/** The middle value, the lower of two; null of none. */
function median(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}
