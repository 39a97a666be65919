import { appendFile, readFile } from "node:fs/promises";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { fileError } from "../files/transfer.ts";
import type { Phase } from "./phase.ts";

export interface HistoryRow {
  /** From 1, counted through both phases. */
  readonly epoch: number;
  readonly phase: Phase;
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
  readonly valMeanIou: number;
  readonly seconds: number;
}

const HEADER = "epoch,phase,loss,accuracy,val_loss,val_accuracy,val_mean_iou,seconds";

/** One line of `history.csv`, without its end. */
export function formatRow(row: HistoryRow): string {
  const numbers = [row.loss, row.accuracy, row.valLoss, row.valAccuracy, row.valMeanIou];
  return [row.epoch, row.phase, ...numbers.map((value) => value.toPrecision(7)), row.seconds.toFixed(2)].join(
    ",",
  );
}

/** @throws Error when the text is no `history.csv`. */
export function parseHistory(text: string): HistoryRow[] {
  const [header, ...lines] = text.trimEnd().split("\n");
  if (header !== HEADER)
    throw new Error(`This is no history: its first line is "${header}" and should be "${HEADER}".`);
  return lines.map((line) => {
    const [epoch, phase, ...numbers] = line.split(",");
    const [loss, accuracy, valLoss, valAccuracy, valMeanIou, seconds] = numbers.map(Number);
    return {
      epoch: Number(epoch),
      phase: phase as Phase,
      loss,
      accuracy,
      valLoss,
      valAccuracy,
      valMeanIou,
      seconds,
    };
  });
}

export const readHistory = async (path: string): Promise<HistoryRow[]> =>
  parseHistory(await readFile(path, "utf8"));

/** Writes a whole `history.csv`; a run that goes on begins with the lines its checkpoint knows of. */
export const writeHistory = (path: string, rows: readonly HistoryRow[]): Promise<void> =>
  writeFileAtomically(path, [new TextEncoder().encode([HEADER, ...rows.map(formatRow), ""].join("\n"))]);

/**
 * Adds a line in one write, so that a kill leaves whole lines.
 *
 * @throws WeightsError where the file cannot be written.
 */
export const appendHistory = (path: string, row: HistoryRow): Promise<void> =>
  appendFile(path, `${formatRow(row)}\n`).catch((error: unknown) => {
    throw fileError(error, "write", path);
  });

/** The row with the highest validation accuracy, the earliest of equal ones; null when there are none. */
export const bestRow = (rows: readonly HistoryRow[]): HistoryRow | null =>
  rows.reduce<HistoryRow | null>(
    (best, row) => (best === null || row.valAccuracy > best.valAccuracy ? row : best),
    null,
  );
