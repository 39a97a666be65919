import { createHash } from "node:crypto";
import type { OutputsAs } from "../bulk/outputs-as.ts";
import type { Shard } from "../bulk/shard.ts";
import type { Precision } from "../config/index.ts";
import type { ImageSize } from "../image-size.ts";
import type { MaskPng } from "../use/mask-kinds.ts";
import type { OutputKind } from "../use/output-kinds.ts";
import type { Tta } from "../use/views.ts";

/** What is done with every photo of a shard, and where it goes: all that decides about the bytes of the outputs. */
export interface LabelTask {
  /** The model's path, the same on every worker's machine. */
  readonly model: string;
  /** SHA-256 of the model's file: a worker that finds another one there refuses. */
  readonly modelSha256: string;
  /** The folder of the outputs, the same on every worker's machine. */
  readonly out: string;
  readonly imageSize?: ImageSize | undefined;
  readonly batchSize?: number | undefined;
  readonly precision?: Precision | undefined;
  readonly window?: ImageSize | "whole" | null | undefined;
  readonly overlap?: number | undefined;
  readonly tta?: readonly Tta[] | undefined;
  readonly outputs?: readonly OutputKind[] | undefined;
  readonly maskPng?: MaskPng | undefined;
  readonly geoJson?: boolean | undefined;
  readonly logits?: boolean | undefined;
  readonly outputsAs?: OutputsAs | undefined;
}

/** The data of a job in the queue. */
export interface ShardJob {
  readonly shard: Shard;
  readonly task: LabelTask;
}

/** A photo that could not be labelled, and why, in a sentence. */
export interface DeadLetter {
  readonly photo: string;
  readonly reason: string;
  /** Whether the reason may pass: a server that was busy. */
  readonly passing?: boolean;
}

/** What came of a shard. */
export interface ShardOutcome {
  /** Photos whose outputs are there. */
  readonly labelled: number;
  readonly failed: readonly DeadLetter[];
  /** Whether all was there already. */
  readonly already: boolean;
}

/** What of it stays with the job in Redis. */
export interface JobResult {
  readonly labelled: number;
  readonly failed: number;
  readonly already: boolean;
  readonly seconds: number;
}

/** One id for the same photos with the same task, on whatever machine and however often they are added. */
export function jobId({ shard, task }: ShardJob): string {
  const said = Object.entries(task).filter(([, value]) => value !== undefined);
  const digest = createHash("sha256").update(JSON.stringify(said.sort())).digest("hex");
  return `${shard.id}-${digest.slice(0, 12)}`;
}

/** A shard for people. */
export function describeShard({ shard }: ShardJob): string {
  if (!("list" in shard)) return shard.tar.path;
  const { path, line, entries } = shard.list;
  return `${path}, ${entries} photos from line ${line} on`;
}
