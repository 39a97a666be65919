import { hostname } from "node:os";
import { describeAdapter } from "../../adapter/adapters.ts";
import { openGpu } from "../../adapter/open-gpu.ts";
import { count } from "../../data/data-error.ts";
import { ShardLabellers } from "../../queue/label-shards.ts";
import { queueMetrics } from "../../queue/queue-status.ts";
import { serveMetrics } from "../../queue/serve-metrics.ts";
import { WorkerMetrics } from "../../queue/worker-metrics.ts";
import { runWorker } from "../../queue/worker.ts";
import type { QueueWorkFlags } from "../definitions/queue.ts";
import { withQueue } from "./with-queue.ts";

/** Milliseconds that a scrape waits for Redis. */
const SCRAPE_MS = 1_000;
/** Milliseconds after which connections to a Redis that is gone no longer hold the process. */
const LEAVE_MS = 500;

/** `queue work` */
export async function run(flags: QueueWorkFlags, stop: AbortSignal): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const { adapter, concurrency, drain, grace } = flags;
  await withQueue(flags.name, { patient: true, signal: stop }, async (queue) => {
    const gpu = await openGpu(adapter === undefined ? {} : { adapter });
    const metrics = new WorkerMetrics();
    const labellers = new ShardLabellers(gpu, metrics, say);
    const server =
      flags.metrics &&
      (await serveMetrics(flags.metrics, async () => metrics.text() + (await soon(queueMetrics(queue)))));
    try {
      const { kind, name } = describeAdapter(gpu);
      say(`Adapter: ${name} (${kind})`);
      if (server) say(`Metrics: ${server.url}`);
      say(
        `Worker ${process.pid} of ${hostname()} takes shards from ${queue.name} in Redis at ${queue.redis.where}`,
      );
      const { fault, saidGoodbye } = await runWorker({
        ...{ queue, concurrency, drain, grace, stop, metrics, say },
        work: (job, signal) => labellers.work(job, signal),
      });
      if (!saidGoodbye) setTimeout(() => process.exit(), LEAVE_MS).unref();
      if (fault) throw fault;
      say(`${count(metrics.photosLabelled, "photo")} labelled by this worker`);
    } finally {
      server?.close();
      await labellers.close();
      gpu.destroy();
    }
  });
}

/** Nothing where it does not come soon. */
async function soon(text: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => (timer = setTimeout(() => resolve(""), SCRAPE_MS)));
  return Promise.race([text.catch(() => ""), late]).finally(() => clearTimeout(timer));
}
