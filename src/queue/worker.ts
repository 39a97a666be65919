import { WaitingError, Worker } from "bullmq";
import type { Job } from "bullmq";
import { count } from "../data/data-error.ts";
import { messageOf } from "../message-of.ts";
import { GpuError } from "../gpu/errors.ts";
import { COMPLETED_KEPT, METRICS, PREFIX } from "./shard-queue.ts";
import type { ShardQueue } from "./shard-queue.ts";
import type { JobResult, ShardJob, ShardOutcome } from "./shard-job.ts";
import { UnfitWorkerError } from "./unfit-worker-error.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

/**
 * Milliseconds for which a shard is a worker's without a word from it, and between looks for those that are nobody's: a worker that
 * was killed has its shard taken over after the sum, about. The lock is renewed every 3 to 6 s by a timer on the thread that also waits for the
 * GPU in naps of a millisecond, and may be late by 6 s before the shard is taken for nobody's.
 */
const LOCK_MS = 12_000;
const STALLED_MS = 4_000;
/**
 * How often a shard may lose its worker. That is the fault of machines that are taken away, and rarely the shard's: where one worker of
 * ten is killed in the middle of a shard, one shard in a hundred thousand million is so eleven times. But a photo that ends the process,
 * by a fault of native code or of all memory, must not take one worker after the other for ever.
 */
const MOST_STALLS = 10;
/** Shards, one after the other and none done between, that fail on a worker before it takes the fault for its own machine's. */
const FAILURES_IN_A_ROW = 5;
/** Milliseconds between looks whether there is nothing left. */
const DRAINED_MS = 1_000;
/** Milliseconds that it may take to give shards back and say goodbye, where Redis may be gone. */
const GOODBYE_MS = 5_000;

/** Some photos may be had another time. */
class PassingError extends Error {
  constructor(photos: number) {
    super(`${count(photos, "photo")} could not be had, for a reason that may pass`);
  }
}

export interface WorkerOptions {
  readonly queue: ShardQueue;
  /** Does a shard; must end soon after the signal. */
  readonly work: (job: ShardJob, signal: AbortSignal) => Promise<ShardOutcome>;
  /** Shards at once. */
  readonly concurrency?: number;
  /** Whether it ends when the queue is empty and nothing is in any worker's hands. */
  readonly drain?: boolean;
  /** Asks it to end. */
  readonly stop: AbortSignal;
  /** Seconds that shards in hand may take to be done after it was asked to end; then they are given back. */
  readonly grace?: number;
  readonly metrics: WorkerMetrics;
  readonly say: (sentence: string) => void;
}

/** How a worker ended. */
export interface WorkerEnd {
  /**
   * Why it ended by itself: a GpuError when the device was lost, an UnfitWorkerError, or that too many shards failed here one after the
   * other; null where it was asked to, or there was nothing left.
   */
  readonly fault: Error | null;
  /** Whether it could say goodbye to Redis: where that is gone, connections are left that keep the process. */
  readonly saidGoodbye: boolean;
}

/**
 * Does shards of a queue until it is asked to end, or with `drain` until there are none. When it is back, every shard that was in hand is
 * done or back in the queue, as far as Redis can be reached.
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerEnd> {
  const { queue, work, concurrency = 1, drain = false, stop, grace = 20, metrics, say } = options;
  const { client, where } = queue.redis;
  const giveBack = new AbortController();
  const failedHere = new Set<string>();
  let inHand = 0;
  let fatal: Error | undefined;
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));

  const endFor = (error: Error): void => {
    fatal ??= error;
    // From here on BullMQ takes no other.
    void worker.close();
    giveBack.abort(error);
    end();
  };

  const doJob = async (job: Job<ShardJob, JobResult>, token?: string): Promise<JobResult> => {
    const start = performance.now();
    inHand += 1;
    try {
      giveBack.signal.throwIfAborted();
      const { labelled, failed, already } = await work(job.data, giveBack.signal);
      const passing = failed.filter(({ passing }) => passing).length;
      if (passing > 0 && job.attemptsMade + 1 < (job.opts.attempts ?? 1)) throw new PassingError(passing);
      await queue.bury(job.id!, failed);
      const seconds = (performance.now() - start) / 1000;
      failedHere.clear();
      metrics.shardDone({ labelled, failed: failed.length, already, seconds });
      const all = labelled + failed.length;
      const speed = already ? "done before" : `in ${seconds.toFixed(1)} s`;
      say(`${job.id}: ${labelled} of ${all} photos labelled, ${speed}`);
      return { labelled, failed: failed.length, already, seconds };
    } catch (error) {
      const isUnfit = error instanceof UnfitWorkerError;
      if (isUnfit) endFor(error);
      if (isUnfit || giveBack.signal.aborted) {
        await job.moveToWait(token);
        metrics.shardGivenBack();
        say(`${job.id}: given back`);
        throw new WaitingError();
      }
      metrics.shardFailed();
      if (!(error instanceof PassingError)) failedHere.add(job.id!);
      const of = `attempt ${job.attemptsMade + 1} of ${job.opts.attempts}`;
      say(`${job.id}: ${of} failed: ${messageOf(error)}`);
      if (error instanceof GpuError && error.kind === "lost") endFor(error);
      else if (failedHere.size >= FAILURES_IN_A_ROW) endFor(tooMany(failedHere.size, error));
      throw error;
    } finally {
      inHand -= 1;
    }
  };

  const worker = new Worker<ShardJob, JobResult>(queue.name, doJob, {
    ...{ connection: client, prefix: PREFIX, concurrency, metrics: METRICS },
    skipVersionCheck: queue.redis.notes.length > 0,
    ...{ lockDuration: LOCK_MS, stalledInterval: STALLED_MS, maxStalledCount: MOST_STALLS },
    removeOnComplete: { count: COMPLETED_KEPT },
  });
  worker.on("error", (error) => {
    const problem = hearable(error);
    if (problem !== null) say(problem);
  });
  worker.on("stalled", (id) => say(`${id}: its worker is gone; it is back in the queue`));

  let isGone = false;
  const gone = (): void => {
    if (isGone || worker.closing) return;
    isGone = true;
    metrics.redisUp = false;
    say(`Redis at ${where} is gone: waiting for it.`);
  };
  const back = (): void => {
    if (!isGone) return;
    isGone = false;
    metrics.redisUp = true;
    say(`Redis at ${where} is back.`);
  };
  client.on("close", gone).on("ready", back);

  let isAsking = false;
  const timer = setInterval(() => {
    if (!drain || inHand > 0 || isAsking || isGone) return;
    isAsking = true;
    queue
      .counts()
      .then(
        // What others have in hand may come back.
        ({ waiting, active, delayed }) => {
          if (waiting + active + delayed === 0) end();
        },
        () => undefined,
      )
      .finally(() => (isAsking = false));
  }, DRAINED_MS);

  stop.addEventListener("abort", end, { once: true });
  if (stop.aborted) end();
  await ended;
  clearInterval(timer);
  if (stop.aborted && inHand > 0)
    say(`${inHand === 1 ? "A shard in hand has" : `${inHand} shards in hand have`} ${grace} s to be done.`);
  const patience = setTimeout(() => giveBack.abort(new Error("The worker is ending.")), 1000 * grace);
  const saidGoodbye = await within(worker.close(), giveBack.signal);
  clearTimeout(patience);
  client.off("close", gone).off("ready", back);
  stop.removeEventListener("abort", end);
  return { fault: fatal ?? null, saidGoodbye };
}

/** Whether a promise is kept until some time after the signal. */
async function within(promise: Promise<void>, signal: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    const begin = (): void => void (timer = setTimeout(() => resolve(false), GOODBYE_MS));
    if (signal.aborted) begin();
    else signal.addEventListener("abort", begin, { once: true });
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

const tooMany = (failed: number, last: unknown): Error =>
  new Error(
    `${failed} shards failed here one after the other, so it may be this machine: the worker ends, and they are tried again. The last: ${messageOf(last)}`,
  );

/** What BullMQ remarks, in a sentence; null for what the loss of Redis alone brings with it. */
function hearable(error: Error): string | null {
  const { code = "" } = error as { code?: string };
  if (/^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND)/.test(code)) return null;
  if (/Connection is closed|LOADING|READONLY/.test(error.message)) return null;
  if (
    /could not renew lock for job|Missing lock for job|Lock mismatch|Missing key for job/.test(error.message)
  ) {
    const id = /job (\S+?)\.?(\s|$)/.exec(error.message)?.[1] ?? "a shard";
    return `${id}: this worker was not heard of for ${LOCK_MS / 1000} s, so another may do it again; what is written stays`;
  }
  return messageOf(error);
}
