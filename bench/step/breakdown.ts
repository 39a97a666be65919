import type { DispatchTime } from "../../src/gpu/profiler.ts";

/** What all dispatches of one kernel took in one step. */
export interface KernelShare {
  readonly label: string;
  readonly dispatches: number;
  readonly ms: number;
  /** Of the time that all dispatches took. */
  readonly share: number;
}

/**
 * Sums a step's dispatches by kernel, dearest first.
 *
 * @param runs the same step timed several times; the mean is taken, because some adapters round their clock.
 */
export function byKernel(runs: readonly (readonly DispatchTime[])[]): KernelShare[] {
  const sums = new Map<string, { dispatches: number; ms: number }>();
  for (const { label, nanoseconds } of runs.flat()) {
    const sum = sums.get(label) ?? { dispatches: 0, ms: 0 };
    sum.dispatches += 1 / runs.length;
    sum.ms += nanoseconds / 1e6 / runs.length;
    sums.set(label, sum);
  }
  const total = [...sums.values()].reduce((all, { ms }) => all + ms, 0);
  return [...sums]
    .map(([label, { dispatches, ms }]) => ({
      label,
      dispatches: Math.round(dispatches),
      ms,
      share: total > 0 ? ms / total : 0,
    }))
    .sort((a, b) => b.ms - a.ms);
}

/** One dispatch of a step: which kernel, for which op, making a tensor of which shape. */
export interface DispatchShare {
  readonly label: string;
  readonly op: string;
  readonly shape: readonly number[];
  readonly ms: number;
}
