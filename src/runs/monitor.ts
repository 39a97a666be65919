import type { TrainConfig } from "../config/index.ts";
import type { HistoryRow } from "./history.ts";

/** What decides which epoch of a run is the best one: a column of `history.csv`. */
export type Monitor = Exclude<TrainConfig["monitor"], "auto">;

/** The value of an epoch's row; null where an earlier version did not compute it. */
const VALUES: Readonly<Record<Monitor, (row: HistoryRow) => number | null>> = {
  val_accuracy: (row) => row.valAccuracy,
  val_mean_iou: (row) => row.valMeanIou,
  val_dice: (row) => row.valDice,
  val_fw_iou: (row) => row.valFwIou,
  val_loss: (row) => row.valLoss,
};

export const monitored = (row: HistoryRow, monitor: Monitor): number | null => VALUES[monitor](row);

/** Whether more is better. */
export const rises = (monitor: Monitor): boolean => monitor !== "val_loss";

/** `the highest val_accuracy`. */
export const bestText = (monitor: Monitor): string =>
  `the ${rises(monitor) ? "highest" : "lowest"} ${monitor}`;

/** The best row by `monitor`, the earliest of equal ones; null when there are none. */
export function bestRow(rows: readonly HistoryRow[], monitor: Monitor): HistoryRow | null {
  let best: { row: HistoryRow; value: number } | null = null;
  for (const row of rows) {
    const value = monitored(row, monitor);
    if (value === null || !Number.isFinite(value)) continue;
    if (best === null || (rises(monitor) ? value > best.value : value < best.value)) best = { row, value };
  }
  return best?.row ?? null;
}
