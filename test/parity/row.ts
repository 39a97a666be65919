import { worstDifference } from "../helpers/close.ts";

/** One line of the parity table: how far a result of ours is from tfjs's. */
export interface Row {
  readonly part: "kernels" | "densenet" | "encoders" | "training";
  readonly case: string;
  readonly shape: string;
  /** Worst error of the result; errors are max |difference| / max |reference|. */
  readonly forward: number;
  /** Worst error of each gradient, or of whatever else the case leaves behind, by name. */
  readonly others: Readonly<Record<string, number>>;
  readonly limit: number;
  readonly ok: boolean;
  /** What numbers alone do not say. */
  readonly note?: string;
}

/**
 * Max |actual − expected| / max |expected|: 0 where both are zero everywhere; infinite where lengths differ, a number is
 * not finite, or only the reference is zero.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const { difference, magnitude } = worstDifference(actual, expected);
  return difference === 0 ? 0 : difference / magnitude;
}

/** Makes a row, which is ok when every error is within the limit and `holds` is true. */
export function makeRow(row: Omit<Row, "ok">, holds = true): Row {
  const errors = [row.forward, ...Object.values(row.others)];
  return { ...row, ok: holds && errors.every((error) => error <= row.limit) };
}
