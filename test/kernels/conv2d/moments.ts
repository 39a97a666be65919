import { expect } from "vitest";
import { filledUp } from "../../../src/kernels/text/lane.ts";
import { expectClose } from "../../helpers/close.ts";
import { RUBBISH } from "./channel-embedding.ts";
import { sums } from "./fused-reference.ts";

/** Checks the moments that a product left in the partials, filled up to fours, from `first` on of the numbers `y` `[rows, channels]`. */
export function checkMoments(
  y: Float32Array,
  channels: number,
  { partials, counts }: Record<string, Float32Array>,
  [first, partialCount]: readonly [first: number, partialCount: number],
): void {
  const untouched = (values: Float32Array, perPartial: number): number[] => [
    ...values.slice(0, first * perPartial),
    ...values.slice((first + partialCount) * perPartial),
  ];
  const filled = filledUp(channels);
  for (const value of [...untouched(partials, 2 * filled), ...untouched(counts, 1)])
    expect(value).toBe(RUBBISH);
  const rows = y.length / channels;
  const mean = sums(y, channels).map((sum) => sum / rows);
  const squares = sums(
    Float64Array.from(y, (value, i) => (value - mean[i % channels]) ** 2),
    channels,
  );
  const merged = { mean: new Float64Array(channels), squares: new Float64Array(channels), rows: 0 };
  const at = (partialIndex: number, plane: number, c: number): number =>
    partials[(2 * partialIndex + plane) * filled + c];
  for (let partialIndex = first; partialIndex < first + partialCount; partialIndex++) {
    expect(counts[partialIndex]).toBeGreaterThan(0);
    merged.rows += counts[partialIndex];
    for (let c = 0; c < channels; c++)
      merged.mean[c] += (counts[partialIndex] * at(partialIndex, 0, c)) / rows;
  }
  for (let partialIndex = first; partialIndex < first + partialCount; partialIndex++)
    for (let c = 0; c < channels; c++)
      merged.squares[c] +=
        counts[partialIndex] * (at(partialIndex, 1, c) + (at(partialIndex, 0, c) - merged.mean[c]) ** 2);
  expect(merged.rows).toBe(rows);
  expectClose(merged.mean, mean, 1e-6, "the mean");
  expectClose(merged.squares, squares, 1e-5, "the variance");
}
