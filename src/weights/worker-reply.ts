import type { Worker } from "node:worker_threads";
import { messageOf } from "../message-of.ts";

/** Characters of what a thread prints that are kept: a damaged file makes the library print without end. */
const PRINTED = 10_000;

/**
 * Waits for the one message of a thread in which the HDF5 library works, and ends the thread whatever happens: the library
 * can abort and loop for ever. What it prints is read, so that it does not pile up, and the last line is told where the
 * thread ends without a word.
 *
 * @param options.patience milliseconds until it counts as looping
 * @param options.refusal makes the error of why there is no message
 * @throws what `refusal` makes; the signal's reason when it is aborted
 */
export async function workerReply<Reply>(
  worker: Worker,
  {
    patience,
    refusal,
    signal,
  }: { patience: number; refusal: (why: string) => Error; signal?: AbortSignal | undefined },
): Promise<Reply> {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let printed = "";
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (printed = (printed + text).slice(-PRINTED)));
  }
  try {
    return await new Promise<Reply>((resolve, reject) => {
      const refuse = (why: string): void => reject(refusal(why));
      const stop = (): void => reject(signal!.reason as Error);
      timer = setTimeout(() => refuse("the HDF5 library does not come to an end with it"), patience);
      worker.once("message", resolve);
      worker.once("error", (error) => refuse(`the HDF5 library fails on it (${messageOf(error)})`));
      worker.once("exit", () => refuse(`the HDF5 library gives up on it${lastLine(printed)}`));
      signal?.addEventListener("abort", stop, { signal: ended.signal });
      if (signal?.aborted) stop();
    });
  } finally {
    ended.abort();
    clearTimeout(timer);
    await worker.terminate();
  }
}

function lastLine(printed: string): string {
  const line = printed.trim().split("\n").at(-1)!.trim();
  return line === "" ? "" : ` (${line})`;
}
