const SAMPLES = 31;

/** A few figures in place of a tensor, as fixtures and messages keep it. */
export interface TensorSummary {
  readonly shape: readonly number[];
  /** Of the n numbers, those at floor((k + 1/2) n / 31). */
  readonly samples: readonly number[];
  readonly sum: number;
  readonly sumOfAbsolutes: number;
  /** The largest absolute value. */
  readonly maximum: number;
}

/**
 * How far a tensor is from the summary of what it should be, of the largest number that this has, or of `least` where that is
 * more: infinite for another shape. The sums may be as far off as if every number were.
 */
export function summaryError(
  { shape, values }: { shape: readonly number[]; values: ArrayLike<number> },
  expected: TensorSummary,
  least = 0,
): number {
  if (shape.join() !== expected.shape.join()) return Infinity;
  const actual = summaryOf(values);
  const differences = [
    ...actual.samples.map((sample, i) => sample - expected.samples[i]),
    (actual.sum - expected.sum) / values.length,
    (actual.sumOfAbsolutes - expected.sumOfAbsolutes) / values.length,
    actual.maximum - expected.maximum,
  ];
  return Math.max(...differences.map(Math.abs)) / Math.max(expected.maximum, least);
}

/** Of numbers in row-major order. */
export function summaryOf(values: ArrayLike<number>): Omit<TensorSummary, "shape"> {
  const samples = Array.from(
    { length: SAMPLES },
    (_, k) => values[Math.floor(((k + 0.5) * values.length) / SAMPLES)],
  );
  let [sum, sumOfAbsolutes, maximum] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    sumOfAbsolutes += Math.abs(values[i]);
    maximum = Math.max(maximum, Math.abs(values[i]));
  }
  return { samples, sum, sumOfAbsolutes, maximum };
}
