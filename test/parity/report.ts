import type { Row } from "./row.ts";

const HEADINGS = ["case", "shape", "forward", "gradients", "limit", ""];

const errorText = (error: number): string => (error === 0 ? "0" : error.toExponential(1));

/** The rows as lines of a table with a heading; a note goes under its row. */
export function tableLines(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => [
    row.case,
    row.shape,
    errorText(row.forward),
    Object.entries(row.others)
      .map(([name, error]) => `${name} ${errorText(error)}`)
      .join(", "),
    errorText(row.limit),
    row.ok ? "ok" : "FAIL",
  ]);
  const widths = HEADINGS.map((heading, i) =>
    Math.max(...[heading, ...cells.map((row) => row[i])].map((c) => c.length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd();
  const body = cells.flatMap((row, i) => [line(row), ...(rows[i].note ? [`    ${rows[i].note}`] : [])]);
  return [line(HEADINGS), widths.map((width) => "-".repeat(width)).join("  "), ...body];
}

/** The worst error of all rows of each part, and how many failed. */
export function summaryLine(rows: readonly Row[]): string {
  const failed = rows.filter(({ ok }) => !ok).length;
  const parts = [...new Set(rows.map(({ part }) => part))].map((part) => {
    const errors = rows
      .filter((row) => row.part === part)
      .flatMap((row) => [row.forward, ...Object.values(row.others)]);
    return `${part} ${errorText(Math.max(...errors))}`;
  });
  return `${rows.length - failed} ok, ${failed} failed; worst errors: ${parts.join(", ")}`;
}
