import { readFile } from "node:fs/promises";
import type { Encoder } from "../../../src/layers/networks/encoder.ts";

const SAMPLES = 31;

/** What `keras_outputs.py` keeps of a tensor. */
export interface TensorSummary {
  readonly shape: readonly number[];
  /** Of the n numbers, those at floor((k + 1/2) n / 31). */
  readonly samples: readonly number[];
  readonly sum: number;
  readonly sumOfAbsolutes: number;
  /** The largest absolute value. */
  readonly maximum: number;
}

/** What Keras makes of the numbers of `drawn.ts`. */
export interface KerasFixture {
  readonly gain: number;
  readonly taps: Encoder["taps"];
  /** By photo size, then by tap; `logits` and `probabilities` too. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, TensorSummary>>>>;
  /** With the top: shapes by layer and role, in Keras's order. */
  readonly weights: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly parameters: { readonly noTop: number; readonly withTop: number };
}

export async function kerasFixture(encoder: Encoder): Promise<KerasFixture> {
  const file = new URL(`fixtures/${encoder.name}.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")) as KerasFixture;
}

/**
 * How far a tensor is from the summary of what it should be, of the largest number that this has: infinite for another shape. The sums
 * may be as far off as if every number were.
 */
export function summaryError(
  { shape, values }: { shape: readonly number[]; values: ArrayLike<number> },
  expected: TensorSummary,
): number {
  if (shape.join() !== expected.shape.join()) return Infinity;
  const actual = summaryOf(values);
  const differences = [
    ...actual.samples.map((sample, i) => sample - expected.samples[i]),
    (actual.sum - expected.sum) / values.length,
    (actual.sumOfAbsolutes - expected.sumOfAbsolutes) / values.length,
    actual.maximum - expected.maximum,
  ];
  return Math.max(...differences.map(Math.abs)) / expected.maximum;
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
