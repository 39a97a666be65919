import { count } from "../data/data-error.ts";
import { printable } from "../files/printable.ts";
import { family } from "./worker-metrics.ts";
import type { FailedShard, ShardCounts, ShardLetters, ShardQueue } from "./shard-queue.ts";

/** What is to be said of a queue. */
export interface QueueStatus {
  readonly queue: string;
  readonly redis: string;
  readonly shards: ShardCounts;
  /** Null where Redis does not say. */
  readonly workers: number | null;
  /** Of the last minutes, all workers together; null where too few shards were done in them. */
  readonly speed: { readonly shards_per_second: number; readonly photos_per_second: number } | null;
  /** Seconds until the rest is done at that speed. */
  readonly eta_seconds: number | null;
  /** Tried as often as they may be, the last first. */
  readonly failed_shards: readonly FailedShard[];
  readonly dead_letters: {
    /** Photos that could not be labelled. */
    readonly total: number;
    readonly shards: readonly ShardLetters[];
  };
}

/** Failed shards that are named. */
const FAILED_TOLD = 1000;
/** Shards with dead letters that are named, and photos of all of them on a terminal. */
const SHARDS_TOLD = 1000;
const TOLD = 20;
/** Completed shards that the speed is taken from, and how far back: milliseconds. */
const LAST = 200;
const LATELY_MS = 600_000;

export async function queueStatus(queue: ShardQueue, now = Date.now()): Promise<QueueStatus> {
  const [shards, workers, failed_shards, last] = await Promise.all([
    queue.counts(),
    queue.workers(),
    queue.failedShards(FAILED_TOLD),
    queue.lastCompleted(LAST),
  ]);
  const letters: ShardLetters[] = [];
  let total = 0;
  for await (const of of queue.deadLetters()) {
    total += of.total;
    if (letters.length < SHARDS_TOLD) letters.push(of);
  }
  const speed = speedOf(
    last.map(({ finishedOn = 0, returnvalue }) => ({
      at: finishedOn,
      photos: returnvalue.already ? 0 : returnvalue.labelled,
    })),
    now,
  );
  const left = shards.waiting + shards.active + shards.delayed;
  return {
    ...{ queue: queue.name, redis: queue.redis.where, shards, workers, speed },
    eta_seconds: speed && left > 0 ? left / speed.shards_per_second : null,
    failed_shards,
    dead_letters: { total, shards: letters },
  };
}

/** From when the shards of the last minutes were done; the first one's work lies before its time. */
export function speedOf(
  done: readonly { readonly at: number; readonly photos: number }[],
  now: number,
): QueueStatus["speed"] {
  const lately = done.filter(({ at }) => now - at < LATELY_MS).sort((a, b) => a.at - b.at);
  if (lately.length < 2) return null;
  const seconds = (now - lately[0].at) / 1000;
  if (seconds <= 0) return null;
  const photos = lately.slice(1).reduce((sum, { photos }) => sum + photos, 0);
  return { shards_per_second: (lately.length - 1) / seconds, photos_per_second: photos / seconds };
}

/** For a terminal. */
export function statusText(status: QueueStatus): string {
  const { shards, workers, speed, eta_seconds: eta, failed_shards: failed, dead_letters: dead } = status;
  const lines = [
    `Queue ${status.queue} in Redis at ${status.redis}`,
    `Shards: ${Object.entries(shards)
      .map(([state, n]) => `${n} ${state}`)
      .join(", ")}`,
  ];
  if (workers !== null) lines.push(`Workers: ${workers}`);
  if (speed)
    lines.push(
      `Speed: ${speed.photos_per_second.toFixed(1)} photos/s, ${(60 * speed.shards_per_second).toFixed(1)} shards/min` +
        (eta === null ? "" : `; the rest takes ${duration(eta)}`),
    );
  if (failed.length > 0) {
    lines.push(`Failed shards (\`queue retry\` puts them back):`);
    for (const { id, what, reason, attempts } of failed.slice(0, TOLD))
      lines.push(
        `  ${id} (${printable(what, 300)}), ${count(attempts, "attempt")}: ${printable(reason, 1000)}`,
      );
    lines.push(...more(shards.failed, Math.min(failed.length, TOLD), "shard"));
  }
  if (dead.total > 0) {
    lines.push("Dead letters, photos that could not be labelled:");
    const photos = dead.shards.flatMap(({ shard, photos }) => photos.map((photo) => ({ shard, ...photo })));
    for (const { photo, reason, shard } of photos.slice(0, TOLD))
      lines.push(`  ${printable(photo, 1000)} of ${shard}: ${printable(reason, 1000)}`);
    lines.push(...more(dead.total, Math.min(photos.length, TOLD), "photo"));
  }
  return `${lines.join("\n")}\n`;
}

const more = (all: number, told: number, noun: string): string[] =>
  all > told ? [`  … and ${count(all - told, `more ${noun}`)}`] : [];

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** For Prometheus: BullMQ's own metrics of the queue, and the dead letters. */
export async function queueMetrics(queue: ShardQueue): Promise<string> {
  const own = await queue.bull.exportPrometheusMetrics();
  let total = 0;
  for await (const letters of queue.deadLetters()) total += letters.total;
  const label = { [queue.name]: total };
  return [
    `${own}\n`,
    ...family("bespoke_dead_letters", "gauge", "Photos that could not be labelled.", "queue", label),
  ].join("");
}
