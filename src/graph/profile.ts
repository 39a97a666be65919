import type { DispatchTime } from "../gpu/profiler.ts";
import { textTable } from "../text-table.ts";
import type { Dispatch } from "./dispatch.ts";
import { bytesBound } from "./print.ts";

/** All dispatches of one kernel for one op. */
export interface KernelTime {
  /** The op's name, e.g. `conv2d`. */
  readonly op: string;
  /** The kernel's label, e.g. `conv2d_forward`. */
  readonly kernel: string;
  /** How many there are in a run. */
  readonly dispatches: number;
  /** Of all of them together, in one run. */
  readonly milliseconds: number;
  /** Floating-point operations of matrix products, a multiply-add being two; 0 for other kernels. */
  readonly flops: number;
  /** Bytes that they bind: what is read and written if each number is touched once. */
  readonly bytes: number;
}

/**
 * Sums what a program's dispatches took by op and kernel, slowest first.
 *
 * @param runs what `Program.profile` gave, once or several times; the mean is taken, for some adapters round their clock.
 */
export function kernelTimes(
  dispatches: readonly Dispatch[],
  runs: readonly (readonly DispatchTime[])[],
): KernelTime[] {
  const sums = new Map<string, { -readonly [Key in keyof KernelTime]: KernelTime[Key] }>();
  dispatches.forEach((dispatch, i) => {
    const [op, kernel] = [dispatch.node.op.name, dispatch.kernel.label];
    const key = `${op} ${kernel}`;
    const sum = sums.get(key) ?? { op, kernel, dispatches: 0, milliseconds: 0, flops: 0, bytes: 0 };
    sum.dispatches++;
    for (const times of runs) sum.milliseconds += times[i].nanoseconds / 1e6 / runs.length;
    sum.flops += dispatch.kernel.flops ?? 0;
    sum.bytes += bytesBound(dispatch);
    sums.set(key, sum);
  });
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** {@link kernelTimes} as a table: milliseconds, their share of all, GFLOP/s of matrix products, GB/s of what is bound. */
export function printKernelTimes(times: readonly KernelTime[]): string {
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  // A coarse clock may say that a kernel took no time.
  const rate = (amount: number, milliseconds: number): string =>
    amount > 0 && milliseconds > 0 ? (amount / milliseconds / 1e6).toFixed(1) : "";
  const rows = times.map(({ op, kernel, dispatches, milliseconds, flops, bytes }) => [
    op,
    kernel,
    String(dispatches),
    milliseconds.toFixed(3),
    `${total > 0 ? ((100 * milliseconds) / total).toFixed(1) : "0.0"} %`,
    rate(flops, milliseconds),
    rate(bytes, milliseconds),
  ]);
  const count = times.reduce((sum, { dispatches }) => sum + dispatches, 0);
  return textTable(
    [
      ["op", "kernel", "dispatches", "ms", "share", "GFLOP/s", "GB/s"],
      ...rows,
      ["all", "", String(count), total.toFixed(3), "", "", ""],
    ],
    [2, 3, 4, 5, 6],
  );
}
