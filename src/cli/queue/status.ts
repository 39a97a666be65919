import { queueMetrics, queueStatus, statusText } from "../../queue/queue-status.ts";
import type { QueueStatusFlags } from "../definitions/queue.ts";
import { withQueue } from "./with-queue.ts";

/** `queue status` */
export async function run({ name, json, prometheus }: QueueStatusFlags): Promise<void> {
  const text = await withQueue(name, { patient: false }, async (queue) => {
    if (prometheus) return queueMetrics(queue);
    const status = await queueStatus(queue);
    return json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status);
  });
  process.stdout.write(text);
}
