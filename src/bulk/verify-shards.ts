import { opendir, readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { isAside } from "./leftovers.ts";
import { checkOutputs } from "./check-outputs.ts";
import { MANIFEST, readManifest } from "./manifest.ts";
import type { ShardManifest } from "./manifest.ts";
import { OUTPUTS_AS } from "./outputs-as.ts";
import { placesOf } from "./places.ts";
import type { OutputsAs } from "./outputs-as.ts";
import { PLAN, readPlan } from "./plan.ts";
import { shardName } from "./shard.ts";
import type { Shard } from "./shard.ts";

/**
 * What can be wrong: a shard that is not done; an output that is not what its manifest says; a manifest that is not as it was written, or of
 * other photos; a file that no manifest knows; something that is there twice.
 */
export const PROBLEMS = ["missing", "torn", "tampered", "unknown", "duplicate"] as const;
export type ProblemKind = (typeof PROBLEMS)[number];

export interface VerifyProblem {
  readonly kind: ProblemKind;
  /** A sentence. */
  readonly sentence: string;
}

/** What is there of all shards. */
export interface Verification {
  /** Shards that there are to be. */
  readonly shards: number;
  /** Of these, those with nothing wrong. */
  readonly whole: number;
  /** Photos that are labelled, by the manifests. */
  readonly photos: number;
  /** Photos that could not be labelled, by the manifests: dead letters. */
  readonly failures: number;
  /** Of these, those that may be had later. */
  readonly passing: number;
  /** Shards that are being written, or were when their process was killed. */
  readonly underWay: number;
  readonly problems: Readonly<Record<ProblemKind, number>>;
}

export interface VerifyOptions {
  /** The folder of the outputs. */
  readonly out: string;
  /** Compares sizes alone, and reads no output. */
  readonly quick?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each problem. */
  readonly onProblem?: ((problem: VerifyProblem) => void) | undefined;
  /** Told of each shard, whole or not. */
  readonly onShard?: ((shard: Shard, manifest: ShardManifest | null) => void) | undefined;
}

/**
 * Compares what lies in a folder of outputs with the plan, each shard's manifest with its digest, and each output with its manifest. It
 * keeps no more than a shard at a time, and changes nothing.
 *
 * @throws BulkError when no shards were begun there; FileError; the signal's reason.
 */
export async function verifyShards(options: VerifyOptions): Promise<Verification> {
  const { out, signal, onProblem, onShard } = options;
  const plan = await readPlan(out);
  const problems: Record<ProblemKind, number> = {
    missing: 0,
    torn: 0,
    tampered: 0,
    unknown: 0,
    duplicate: 0,
  };
  const tell = (kind: ProblemKind, sentence: string): void => {
    problems[kind] += 1;
    onProblem?.({ kind, sentence });
  };
  const sums = { whole: 0, photos: 0, failures: 0, passing: 0 };
  const told = (): number => Object.values(problems).reduce((sum, some) => sum + some, 0);
  for await (const shard of plan.shards()) {
    signal?.throwIfAborted();
    const before = told();
    const manifest = await verifyShard(shard, options, tell);
    onShard?.(shard, manifest);
    if (told() === before) sums.whole += 1;
    if (manifest === null) continue;
    sums.photos += manifest.photos.length;
    sums.failures += manifest.failures.length;
    sums.passing += manifest.failures.filter(({ passing }) => passing).length;
  }
  const underWay = await lookAround(out, plan.count, tell);
  return { shards: plan.count, ...sums, underWay, problems };
}

type Tell = (kind: ProblemKind, sentence: string) => void;

async function verifyShard(
  shard: Shard,
  { out, quick = false, signal }: VerifyOptions,
  tell: Tell,
): Promise<ShardManifest | null> {
  const places = placesOf(out, shard);
  const found: [OutputsAs, ShardManifest][] = [];
  let tampered = false;
  for (const as of OUTPUTS_AS) {
    const file = places.manifest[as];
    const there = await readManifest(file);
    if (there === "absent") continue;
    const problem =
      "torn" in there
        ? `is not as it was written (${there.torn})`
        : there.whole.shard !== shard.id
          ? `is of other photos (${there.whole.shard}, not ${shard.id})`
          : null;
    if (problem === null && "whole" in there) found.push([as, there.whole]);
    else {
      tampered = true;
      tell("tampered", `${file} ${problem}: remove what is there of the shard, and do it again.`);
    }
  }
  if (found.length === 0) {
    if (!tampered) tell("missing", `${shardName(shard)} is not done.`);
    return null;
  }
  if (found.length > 1) tell("duplicate", `${shardName(shard)} is there as files and as an archive.`);
  const [[as, manifest]] = found;
  checkCounts(shard, manifest, places.manifest[as], tell);
  for (const { file, problem } of await checkOutputs(manifest, places, { quick, signal }))
    tell("torn", `${file} ${problem}.`);
  if (as === "files") await lookIn(places.folder, manifest, tell);
  return manifest;
}

/** What a manifest that was changed, digest and all, is still found by. */
function checkCounts(
  shard: Shard,
  { photos, failures, passed_over }: ShardManifest,
  file: string,
  tell: Tell,
): void {
  const names = photos.flatMap(({ outputs }) => outputs.map(({ name }) => name));
  const once = new Set(names).size;
  if (once < names.length) tell("duplicate", `${file} names ${names.length - once} outputs twice.`);
  if (!("list" in shard)) return;
  const all = photos.length + failures.length + passed_over;
  if (all !== shard.list.entries)
    tell("tampered", `${file} tells of ${all} lines, where its shard has ${shard.list.entries}.`);
}

/** Files in a shard's folder that its manifest does not know. */
async function lookIn(folder: string, { photos }: ShardManifest, tell: Tell): Promise<void> {
  const known = new Set(photos.flatMap(({ outputs }) => outputs.map(({ name }) => name))).add(MANIFEST);
  const folders = new Set([...known].flatMap(foldersOf));
  for (const path of await readdir(folder, { recursive: true })) {
    const name = path.replaceAll(sep, "/");
    if (!known.has(name) && !folders.has(name)) tell("unknown", `${join(folder, name)} is in no manifest.`);
  }
}

/** `a`, `a/b` of `a/b/c`. */
function foldersOf(name: string): string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** What else lies beside the shards; returns how many are being written. */
async function lookAround(out: string, shards: number, tell: Tell): Promise<number> {
  let underWay = 0;
  for await (const { name } of await opendir(out)) {
    if (isAside(name)) underWay += 1;
    else if (name !== PLAN && !/^photos-[0-9a-f]{16}\.txt$/.test(name) && !isOfShard(name, shards))
      tell("unknown", `${join(out, name)} is of no shard.`);
  }
  return underWay;
}

function isOfShard(name: string, shards: number): boolean {
  const [, digits] = /^shard-(\d{6,})(?:\.tar|\.json)?$/.exec(name) ?? [];
  return (
    digits !== undefined && Number(digits) < shards && name.startsWith(shardName({ index: Number(digits) }))
  );
}
