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
  /** Mean Dice coefficient and frequency-weighted IoU; null where an earlier version wrote the row. */
  readonly valDice: number | null;
  readonly valFwIou: number | null;
  readonly seconds: number;
}

const COLUMNS = [
  "epoch",
  "phase",
  "loss",
  "accuracy",
  "val_loss",
  "val_accuracy",
  "val_mean_iou",
  "val_dice",
  "val_fw_iou",
  "seconds",
] as const;
type Column = (typeof COLUMNS)[number];
const HEADER = COLUMNS.join(",");
/** What files of earlier versions do not have. */
const LATER: readonly Column[] = ["val_dice", "val_fw_iou"];

/** One line of `history.csv`, without its end. */
export function formatRow(row: HistoryRow): string {
  const { epoch, phase, seconds } = row;
  const numbers = [
    row.loss,
    row.accuracy,
    row.valLoss,
    row.valAccuracy,
    row.valMeanIou,
    row.valDice,
    row.valFwIou,
  ];
  return [epoch, phase, ...numbers.map((value) => value?.toPrecision(7) ?? ""), seconds.toFixed(2)].join(",");
}

/**
 * The rows of a `history.csv` of this version or an earlier one.
 *
 * @throws Error when the text is none.
 */
export function parseHistory(text: string): HistoryRow[] {
  const [header, ...lines] = text.trimEnd().split("\n");
  const columns = header.split(",");
  if (!COLUMNS.every((column) => columns.includes(column) || LATER.includes(column)))
    throw new Error(`This is no history: its first line is "${header}" and should be "${HEADER}".`);
  return lines.map((line) => {
    const cells = line.split(",");
    const text = (column: Column): string | undefined => cells[columns.indexOf(column)];
    const number = (column: Column): number => Number(text(column));
    const later = (column: Column): number | null => (text(column) ? number(column) : null);
    return {
      epoch: number("epoch"),
      phase: text("phase") as Phase,
      loss: number("loss"),
      accuracy: number("accuracy"),
      valLoss: number("val_loss"),
      valAccuracy: number("val_accuracy"),
      valMeanIou: number("val_mean_iou"),
      valDice: later("val_dice"),
      valFwIou: later("val_fw_iou"),
      seconds: number("seconds"),
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
