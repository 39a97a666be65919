import type { AblationRun } from "./ablate.ts";

/** Mean and standard deviation (of a sample; null of one value) over the seeds of a row. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number | null;
}

/** @param values at least one. */
export function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** What came of a row, over its seeds; null of none that came to its end. */
export interface RowResult {
  readonly row: string;
  readonly what: string;
  readonly seeds: number;
  readonly diverged: number;
  readonly steps: Spread | null;
  readonly seconds: Spread | null;
  readonly val_accuracy: Spread | null;
  readonly val_mean_iou: Spread | null;
}

/** The rows in the order in which they come. */
export function rowResults(runs: readonly AblationRun[]): RowResult[] {
  return [...new Set(runs.map(({ row }) => row))].map((name) => {
    const own = runs.filter(({ row }) => row === name);
    const ended = own.flatMap(({ outcome }) => outcome ?? []);
    const over = (key: keyof NonNullable<AblationRun["outcome"]>): Spread | null =>
      ended.length === 0 ? null : spread(ended.map((outcome) => outcome[key]));
    return {
      ...{ row: name, what: own[0].what, seeds: own.length, diverged: own.length - ended.length },
      ...{ steps: over("steps"), seconds: over("seconds") },
      ...{ val_accuracy: over("val_accuracy"), val_mean_iou: over("val_mean_iou") },
    };
  });
}

/** Markdown: a line a row. */
export function ablationTable(runs: readonly AblationRun[]): string {
  const text = (spread: Spread | null, digits: number): string => {
    if (spread === null) return "–";
    const { mean, deviation } = spread;
    return mean.toFixed(digits) + (deviation === null ? "" : ` ± ${deviation.toFixed(digits)}`);
  };
  const rows = rowResults(runs).map(({ row, what, seeds, diverged, ...of }) => [
    row,
    what,
    diverged === 0 ? String(seeds) : `${seeds}, ${diverged} diverged`,
    ...[text(of.steps, 0), text(of.seconds, 0), text(of.val_accuracy, 4), text(of.val_mean_iou, 4)],
  ]);
  const head = ["row", "what it changes", "seeds", "steps", "seconds", "val_accuracy", "val_mean_iou"];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
