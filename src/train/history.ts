import { appendFile, readFile, writeFile } from "node:fs/promises";
import type { Phase } from "./programs.ts";

export interface HistoryRow {
  /** From 1, counted through both phases. */
  readonly epoch: number;
  readonly phase: Phase;
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
  readonly seconds: number;
}

const HEADER = "epoch,phase,loss,accuracy,val_loss,val_accuracy,seconds";

/** One line of `history.csv`, without its end. */
export function formatRow(row: HistoryRow): string {
  const numbers = [row.loss, row.accuracy, row.valLoss, row.valAccuracy].map((value) => value.toPrecision(7));
  return [row.epoch, row.phase, ...numbers, row.seconds.toFixed(2)].join(",");
}

/** @throws Error when the text is no `history.csv`. */
export function parseHistory(text: string): HistoryRow[] {
  const [header, ...lines] = text.trimEnd().split("\n");
  if (header !== HEADER)
    throw new Error(`This is no history: its first line is "${header}" and should be "${HEADER}".`);
  return lines.map((line) => {
    const [epoch, phase, ...numbers] = line.split(",");
    const [loss, accuracy, valLoss, valAccuracy, seconds] = numbers.map(Number);
    return { epoch: Number(epoch), phase: phase as Phase, loss, accuracy, valLoss, valAccuracy, seconds };
  });
}

export const readHistory = async (path: string): Promise<HistoryRow[]> =>
  parseHistory(await readFile(path, "utf8"));

/** Begins an empty `history.csv`. */
export const createHistory = (path: string): Promise<void> => writeFile(path, `${HEADER}\n`, { flag: "wx" });

/** Adds a line in one write, so that a kill leaves whole lines. */
export const appendHistory = (path: string, row: HistoryRow): Promise<void> =>
  appendFile(path, `${formatRow(row)}\n`);
