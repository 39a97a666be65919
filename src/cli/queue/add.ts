import { resolve } from "node:path";
import { modelDigest } from "../../bulk/model-digest.ts";
import { openPlan } from "../../bulk/plan.ts";
import { count } from "../../data/data-error.ts";
import { programLine } from "../../files/package.ts";
import type { LabelTask } from "../../queue/shard-job.ts";
import { loadModel } from "../../use/model.ts";
import { makeOutputFolder } from "../../use/output-folder.ts";
import { bulkInputs } from "../bulk-options.ts";
import type { QueueAddFlags } from "../definitions/queue.ts";
import { viewFor } from "../view-for.ts";
import { refuseLogits } from "../with-labeller.ts";
import { withQueue } from "./with-queue.ts";

/** Milliseconds between two words on how far it is. */
const TOLD_MS = 10_000;

/** `queue add` */
export async function run(flags: QueueAddFlags, signal: AbortSignal): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const inputs = bulkInputs(flags);
  const model = await loadModel(flags.model, flags);
  const view = viewFor(model, flags);
  if (flags.logits) refuseLogits(model, view);
  const task: LabelTask = {
    model: resolve(model.file),
    modelSha256: await modelDigest(model),
    out: resolve(flags.out),
    ...{ imageSize: flags.imageSize, batchSize: flags.batchSize, precision: flags.precision },
    ...view,
    ...{
      outputs: flags.outputs,
      maskPng: flags.maskPng,
      geoJson: flags.outlines !== undefined,
      logits: flags.logits,
      outputsAs: flags.outputsAs,
    },
  };
  await withQueue(flags.name, { patient: false }, async (queue) => {
    // After Redis has answered: nothing is left where it does not.
    await makeOutputFolder(flags.out);
    const plan = await openPlan(inputs, { out: task.out, size: flags.shardSize, signal });
    let told = performance.now();
    const { added, there } = await queue.add(plan.shards(), task, {
      ...{ attempts: flags.attempts, backoff: flags.backoff, signal },
      onProgress: ({ added, there }) => {
        if (performance.now() - told < TOLD_MS) return;
        told = performance.now();
        say(`${count(added, "shard")} so far, ${there} there already`);
      },
    });
    say(`Model: ${task.model}, SHA-256 ${task.modelSha256}`);
    say(
      `${count(added, "shard")} added to ${queue.name} in Redis at ${queue.redis.where}${there > 0 ? `, ${there} there already` : ""}`,
    );
    if (there > 0) say(`What failed of those is put back by \`${programLine("queue", "retry")}\`.`);
  });
}
