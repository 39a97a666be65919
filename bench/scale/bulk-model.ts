import { SHARD_SIZE } from "../../src/bulk/shard.ts";
import type { BulkRate } from "./measure-bulk.ts";

/** What it takes to label very many photos. */
export interface BulkForecast {
  readonly photos: number;
  readonly workers: number;
  readonly shards: number;
  readonly workerHours: number;
  readonly hours: number;
  /** Of all workers together, in and out. */
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly queueOperationsPerSecond: number;
}

/** Of a queue for a shard: it is put in, taken and done. */
const OPERATIONS = 3;
/** Seconds after which a worker tells the queue that it still has its shard: half of what BullMQ's lock lasts (`src/queue/worker.ts`). */
export const RENEWAL = 6;

/** Workers that do not hinder each other. */
export function forecastBulk(rate: BulkRate, photos: number, workers: number): BulkForecast {
  const perSecond = workers * rate.photosPerSecond;
  return {
    ...{ photos, workers },
    shards: Math.ceil(photos / SHARD_SIZE),
    workerHours: photos / rate.photosPerSecond / 3600,
    hours: photos / perSecond / 3600,
    bytesInPerSecond: perSecond * rate.bytesIn,
    bytesOutPerSecond: perSecond * rate.bytesOut,
    queueOperationsPerSecond: (OPERATIONS * perSecond) / SHARD_SIZE + workers / RENEWAL,
  };
}
