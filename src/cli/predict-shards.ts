import { BulkError } from "../bulk/bulk-error.ts";
import { isOfPart, parsePart } from "../bulk/part.ts";
import type { Part } from "../bulk/part.ts";
import { openPlan } from "../bulk/plan.ts";
import type { Plan } from "../bulk/plan.ts";
import { shardName } from "../bulk/shard.ts";
import { workShard } from "../bulk/work-shard.ts";
import { count } from "../data/data-error.ts";
import { printable } from "../files/printable.ts";
import { messageOf } from "../message-of.ts";
import { formatBytes } from "../text-table.ts";
import type { Labeller } from "../use/labeller.ts";
import { loadModel } from "../use/model.ts";
import { makeOutputFolder } from "../use/output-folder.ts";
import { OutputThreads } from "../use/output-threads.ts";
import { PHOTOS } from "../use/predictor.ts";
import { bulkInputs } from "./bulk-options.ts";
import type { PredictFlags } from "./definitions/predict.ts";
import { viewFor } from "./view-for.ts";
import { refuseLogits, withLabeller } from "./with-labeller.ts";

/** All shards, where nobody shares them. */
const ALL: Part = { part: 1, of: 1 };

/**
 * Labels the shards of one part, one after the other. One that cannot be done does not keep the others from being done, and is told of at
 * the end.
 *
 * @throws BulkError where one could not, or photos may be had later.
 */
export async function predictShards(flags: PredictFlags, signal: AbortSignal): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const { out, logits, outlines = [], shardSize } = flags;
  const inputs = bulkInputs(flags);
  const part = flags.shard === undefined ? ALL : parsePart(flags.shard);
  if (outlines.includes("coco"))
    throw new BulkError("--outlines coco is one file of all photos, which shards do not have: take geojson.");
  const model = await loadModel(flags.model, flags);
  const view = viewFor(model, flags);
  if (logits) refuseLogits(model, view);
  await makeOutputFolder(out);
  const plan = await openPlan(inputs, { out, size: shardSize, parts: part.of, signal });
  if (plan.passedOver > 0) say(`Passed over in ${flags.images}: ${count(plan.passedOver, "other file")}`);
  say(planText(plan, part));
  const batchSize = flags.batchSize ?? (view.window === null ? PHOTOS : undefined);
  await withLabeller(model, { ...flags, ...view, batchSize }, say, async (labeller) => {
    const threads = new OutputThreads();
    try {
      const sums = await workPart(labeller, { plan, part, flags, threads, signal, say });
      say(`Memory: ${formatBytes(labeller.bytes)} on the GPU`);
      say(sumText(sums, out));
      if (sums.undone > 0 || sums.passing > 0) process.exitCode = 1;
    } finally {
      await threads.close();
    }
  });
}

function planText({ count: shards, entries, size }: Plan, { part, of }: Part): string {
  const all =
    entries === null
      ? `${count(shards, "archive")}, a shard each`
      : `${entries}, in ${count(shards, "shard")} of ${Math.min(size, entries)}`;
  const own = Math.max(0, Math.ceil((shards - part + 1) / of));
  return of === 1 ? `Photos: ${all}` : `Photos: ${all}; part ${part} of ${of} has ${own} of them`;
}

/** What came of a part. */
interface Sums {
  shards: number;
  /** Shards that were done before. */
  before: number;
  /** Shards that could not be done. */
  undone: number;
  photos: number;
  failures: number;
  /** Photos that may be had later. */
  passing: number;
}

async function workPart(
  labeller: Labeller,
  {
    plan,
    part,
    flags,
    threads,
    signal,
    say,
  }: {
    plan: Plan;
    part: Part;
    flags: PredictFlags;
    threads: OutputThreads;
    signal: AbortSignal;
    say: (text: string) => void;
  },
): Promise<Sums> {
  const sums: Sums = { shards: 0, before: 0, undone: 0, photos: 0, failures: 0, passing: 0 };
  const { out, outputs, outputsAs, logits, maskPng, outlines = [] } = flags;
  for await (const shard of plan.shards()) {
    if (!isOfPart(shard, part)) continue;
    signal.throwIfAborted();
    sums.shards += 1;
    let isBefore = false;
    try {
      const { photos, failures } = await workShard(labeller, shard, {
        ...{ out, outputs, outputsAs, logits, maskPng, threads, signal },
        geoJson: outlines.includes("geojson"),
        onNote: (sentence) => say(`Note: ${sentence}`),
        onDoneBefore: () => {
          isBefore = true;
          sums.before += 1;
        },
      });
      const passing = failures.filter((failure) => failure.passing).length;
      sums.photos += photos.length;
      sums.failures += failures.length;
      sums.passing += passing;
      const others =
        failures.length === 0
          ? ""
          : `, ${failures.length} could not be: ${printable(failures[0].reason, 400)}`;
      say(
        `${shardName(shard)}${isBefore ? " (done before)" : ""}: ${count(photos.length, "photo")} labelled${others}`,
      );
    } catch (error) {
      // Of one list, archive or shard; what else there is holds for all.
      if (!(error instanceof BulkError)) throw error;
      sums.undone += 1;
      process.stderr.write(`${messageOf(error)}\n`);
    }
  }
  return sums;
}

function sumText({ shards, before, undone, photos, failures, passing }: Sums, out: string): string {
  const parts = [`${shards - undone} of ${count(shards, "shard")} done`];
  if (before > 0) parts.push(`${before} of them before`);
  parts.push(`${count(photos, "photo")} labelled`);
  if (failures > 0) parts.push(`${failures} could not be (the manifests say why)`);
  if (passing > 0) parts.push(`${passing} of these may be had later: run the same command again then`);
  return `${parts.join(", ")}, in ${out}`;
}
