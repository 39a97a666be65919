/**
 * @file Where the work of a program is cut into submissions. Systems take a GPU that has worked on one command buffer for too
 * long for hung, and reset it: Windows and amdgpu after 2 s (`TdrDelay`, `lockup_timeout`), macOS after some more. Dawn makes a
 * command buffer of each `queue.submit`, however many are handed to it at once.
 */
import type { Dispatch } from "./dispatch.ts";
import { bytesBound } from "./print.ts";

/**
 * What the slowest GPU that one would train on comes to in a second: an integrated one that reaches a quarter of its 400
 * GFLOP/s and shares the memory of the machine.
 */
const SLOW_GPU = { flops: 1e11, bytes: 2e10 };

/** Seconds on it that a submission may take: half of what a system lets pass. */
export const SUBMISSION_SECONDS = 1;

/** Seconds that a dispatch takes on a slow GPU, at most about. */
const secondsOf = (dispatch: Dispatch): number =>
  (dispatch.kernel.flops ?? 0) / SLOW_GPU.flops + bytesBound(dispatch) / SLOW_GPU.bytes;

/**
 * How many dispatches each submission has, in their order: as many as take no more than `seconds` together on a slow GPU, or
 * one that takes longer by itself; and one ends behind each number of dispatches in `cuts`. It depends on the plan alone, so that every adapter runs it in the same way; a fast one has
 * a handful of submissions a step, at some 20 µs of the host each.
 */
export function submissionsOf(
  dispatches: readonly Dispatch[],
  seconds = SUBMISSION_SECONDS,
  cuts: ReadonlySet<number> = new Set(),
): number[] {
  const counts: number[] = [];
  let taken = Infinity;
  for (const [i, dispatch] of dispatches.entries()) {
    const own = secondsOf(dispatch);
    if (taken + own > seconds || cuts.has(i)) {
      counts.push(0);
      taken = 0;
    }
    counts[counts.length - 1]++;
    taken += own;
  }
  return counts;
}
