/** @file What ranks have to agree on between their steps: one of them alone knows that it was told to stop, or that its time is over. */
import type { Collectives } from "../../mpi/collectives.ts";

/** Another rank of the run was told to stop, and this one stops with it. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** Whether something is so on one rank at least; every rank asks, and is told the same. */
export async function onAnyRank(ranks: Collectives | undefined, here: boolean): Promise<boolean> {
  if (!ranks) return here;
  const count = Uint32Array.of(here ? 1 : 0);
  await ranks.meet("agreement to go on");
  await ranks.allReduce("agreement to go on", count);
  return count[0] > 0;
}

/**
 * Goes on where no rank was told to stop.
 *
 * @throws the signal's reason where it is this rank's that was aborted; InterruptedError where it is another's.
 */
export async function throwIfInterrupted({
  ranks,
  signal,
}: {
  readonly ranks?: Collectives | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const anyone = await onAnyRank(ranks, signal?.aborted ?? false);
  signal?.throwIfAborted();
  if (anyone) throw new InterruptedError("Another rank was told to stop.");
}

/** Whether an error is one of {@link throwIfInterrupted}. */
export const isInterruption = (error: unknown, signal: AbortSignal | undefined): boolean =>
  error instanceof InterruptedError || (signal !== undefined && signal.aborted && error === signal.reason);
