import { MetricsTime, Queue } from "bullmq";
import type { Job } from "bullmq";
import type { Redis } from "ioredis";
import { RedisError } from "./redis-address.ts";
import type { OpenRedis } from "./open-redis.ts";
import { describeShard, jobId } from "./shard-job.ts";
import type { DeadLetter, JobResult, LabelTask, ShardJob } from "./shard-job.ts";
import type { Shard } from "../bulk/shard.ts";

/** What all keys in Redis begin with. */
export const PREFIX = "bespoke";
/** Where nothing else is asked for. */
export const QUEUE_NAME = "predict";
/**
 * Completed shards that Redis keeps the job of, for the speed and to know them again. What was done before is added anew and found
 * done by its manifest, so that Redis does not grow with what is behind.
 */
export const COMPLETED_KEPT = 1000;
/** For how long the minutes' counts of completed shards are kept. */
export const METRICS = { maxDataPoints: MetricsTime.ONE_WEEK };
/** What BullMQ has as the reason where a shard lost its worker too often, and what that means. */
const STALLED = "job stalled more than allowable limit";
const WORKERS_GONE =
  "One worker after the other was killed, or ended, while it had this shard in hand: see what their machines say of memory and crashes.";
/** Jobs that are added or looked up by one message. */
const CHUNK = 500;
/** Dead letters of one shard that Redis keeps; the shard's manifest has all. */
const LETTERS_KEPT = 20;

export interface AddOptions {
  /** How often a shard is tried before it stays failed. */
  readonly attempts?: number;
  /** Seconds before the second attempt, at most; before each further one twice as many. */
  readonly backoff?: number;
  /** Told from time to time how many have been added. */
  readonly onProgress?: (added: Added) => void;
  readonly signal?: AbortSignal;
}

/** Of the shards that were to be added. */
export interface Added {
  readonly added: number;
  /** That the queue had already. */
  readonly there: number;
}

/** Shards by what is happening to them. */
export interface ShardCounts {
  readonly waiting: number;
  readonly active: number;
  /** That wait to be tried again. */
  readonly delayed: number;
  /** Since the queue was made; those found done included. */
  readonly completed: number;
  readonly failed: number;
}

/** A shard that was tried as often as it may be. */
export interface FailedShard {
  readonly id: string;
  readonly what: string;
  readonly reason: string;
  readonly attempts: number;
}

/** The bad photos of one shard. */
export interface ShardLetters {
  readonly shard: string;
  /** How many there are. */
  readonly total: number;
  /** The first of them. */
  readonly photos: readonly DeadLetter[];
}

/** Shards in a queue of BullMQ's. */
export class ShardQueue {
  readonly name: string;
  readonly redis: OpenRedis;
  readonly bull: Queue<ShardJob, JobResult>;

  /** @throws RedisError when such a name cannot be a queue's. */
  constructor(redis: OpenRedis, name: string = QUEUE_NAME) {
    if (!/^[\w.-]{1,100}$/.test(name))
      throw new RedisError(`A queue cannot be called "${name}": take letters, digits, ".", "_" and "-".`);
    this.name = name;
    this.redis = redis;
    this.bull = new Queue(name, {
      ...{ connection: redis.client, prefix: PREFIX },
      // BullMQ writes to the console what `openRedis` has said in a sentence.
      skipVersionCheck: redis.notes.length > 0,
    });
    // What goes wrong with a call it says itself; without a listener it would end the process.
    this.bull.on("error", () => undefined);
  }

  /**
   * Adds a job for each shard, those that the queue has already left out.
   *
   * @throws what the iteration throws; what was added by then stays.
   */
  async add(
    shards: AsyncIterable<Shard> | Iterable<Shard>,
    task: LabelTask,
    { attempts = 5, backoff = 10, onProgress, signal }: AddOptions = {},
  ): Promise<Added> {
    let [added, there] = [0, 0];
    let chunk: ShardJob[] = [];
    const send = async (): Promise<void> => {
      signal?.throwIfAborted();
      const known = await this.#known(chunk.map(jobId));
      const missing = chunk.filter((_, i) => !known[i]);
      await this.bull.addBulk(
        missing.map((data) => ({
          ...{ name: "shard", data },
          opts: {
            jobId: jobId(data),
            attempts,
            // All that failed for one reason, a full disk, are not to come again at one moment.
            backoff: { type: "exponential", delay: 1000 * backoff, jitter: 0.5 },
            removeOnComplete: { count: COMPLETED_KEPT },
            removeOnFail: false,
          },
        })),
      );
      added += missing.length;
      there += chunk.length - missing.length;
      chunk = [];
      onProgress?.({ added, there });
    };
    for await (const shard of shards) {
      chunk.push({ shard, task });
      if (chunk.length >= CHUNK) await send();
    }
    if (chunk.length > 0) await send();
    return { added, there };
  }

  async counts(): Promise<ShardCounts> {
    const types = ["wait", "active", "delayed", "completed", "failed"] as const;
    const [now, { meta }] = await Promise.all([
      this.bull.getJobCounts(...types),
      // No minute is asked for, only the sum.
      this.bull.getMetrics("completed", 0, 0),
    ]);
    return {
      waiting: now.wait ?? 0,
      active: now.active ?? 0,
      delayed: now.delayed ?? 0,
      completed: Math.max(meta.count, now.completed ?? 0),
      failed: now.failed ?? 0,
    };
  }

  /** @param most of them, the last first. */
  async failedShards(most: number): Promise<FailedShard[]> {
    const jobs = await this.bull.getFailed(0, most - 1);
    return jobs.filter(Boolean).map((job) => ({
      id: job.id!,
      what: describeShard(job.data),
      reason: job.failedReason === STALLED ? WORKERS_GONE : job.failedReason,
      attempts: job.attemptsMade,
    }));
  }

  /** The last completed jobs, the last first. */
  async lastCompleted(most: number): Promise<Job<ShardJob, JobResult>[]> {
    return (await this.bull.getCompleted(0, most - 1)).filter(Boolean);
  }

  /** Workers that are connected; null where Redis does not let one ask. */
  workers(): Promise<number | null> {
    return this.bull.getWorkersCount().catch(() => null);
  }

  /**
   * Puts the shards that failed back, with all their attempts.
   *
   * @returns how many.
   */
  async retry(): Promise<number> {
    let again = 0;
    for (;;) {
      const jobs = (await this.bull.getFailed(0, CHUNK - 1)).filter(Boolean);
      if (jobs.length === 0) return again;
      for (const job of jobs) {
        // A shard whose workers died too often would fail at once by what is written there.
        await this.#client.hdel(this.bull.toKey(job.id!), "stc", "defa");
        await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
        again += 1;
      }
    }
  }

  /** Writes down the bad photos of a shard, in place of those of an earlier attempt. */
  async bury(shard: string, photos: readonly DeadLetter[]): Promise<void> {
    if (photos.length === 0) await this.#client.hdel(this.#lettersKey, shard);
    else {
      const letters = { total: photos.length, photos: photos.slice(0, LETTERS_KEPT) };
      await this.#client.hset(this.#lettersKey, shard, JSON.stringify(letters));
    }
  }

  /** The bad photos of all shards that have any. */
  async *deadLetters(): AsyncGenerator<ShardLetters> {
    let cursor = "0";
    do {
      const [next, entries] = await this.#client.hscan(this.#lettersKey, cursor, "COUNT", CHUNK);
      for (let i = 0; i < entries.length; i += 2)
        yield { shard: entries[i], ...(JSON.parse(entries[i + 1]) as Omit<ShardLetters, "shard">) };
      cursor = next;
    } while (cursor !== "0");
  }

  /** The connection is whoever's opened it. */
  async close(): Promise<void> {
    await this.bull.close();
  }

  get #client(): Redis {
    return this.redis.client;
  }

  get #lettersKey(): string {
    return this.bull.toKey("dead-letters");
  }

  async #known(ids: readonly string[]): Promise<boolean[]> {
    const asked = this.#client.pipeline();
    for (const id of ids) asked.exists(this.bull.toKey(id));
    const answers = (await asked.exec()) ?? [];
    return answers.map(([error, exists]) => {
      if (error) throw error;
      return exists === 1;
    });
  }
}
