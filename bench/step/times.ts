/** Several measurements of one thing, in milliseconds. */
export interface Times {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** @throws Error when there is no measurement. */
export function timesOf(milliseconds: readonly number[]): Times {
  return {
    median: median(milliseconds),
    min: Math.min(...milliseconds),
    max: Math.max(...milliseconds),
    count: milliseconds.length,
  };
}

/** @throws Error when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("There is no median of no numbers.");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Milliseconds with three figures: "0.123 ms", "12.3 ms", "1,234 ms". */
export function milliseconds(value: number): string {
  return `${value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3)} ms`;
}
