import { count } from "../../data/data-error.ts";
import type { QueueFlags } from "../definitions/queue.ts";
import { withQueue } from "./with-queue.ts";

/** `queue retry` */
export async function run({ name }: QueueFlags): Promise<void> {
  const again = await withQueue(name, { patient: false }, (queue) => queue.retry());
  process.stdout.write(`${count(again, "shard")} put back into ${name}\n`);
}
