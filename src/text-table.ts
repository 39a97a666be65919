/**
 * Rows of cells as lines of text, in columns as wide as their widest cell.
 *
 * @param right columns whose cells stand to the right, by their number from 0: numbers.
 */
export function textTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

/** `1536 B`, `30.0 KiB`, `1.5 GiB`. */
export const formatBytes = (bytes: number): string => scaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);

/** `12`, `3.4 k`, `1.2 G`. */
export const formatCount = (count: number): string => scaled(count, 1000, ["", "k", "M", "G", "T", "P"]);

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`.trimEnd();
}
