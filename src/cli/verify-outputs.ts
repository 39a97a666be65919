import { PROBLEMS, verifyShards } from "../bulk/verify-shards.ts";
import { count } from "../data/data-error.ts";
import { printable } from "../files/printable.ts";
import type { VerifyFlags } from "./definitions/verify.ts";

/** Problems of each kind that are told one by one. */
const TOLD = 20;

/** Says what is missing, torn or tampered with in a folder of outputs; the exit code is 1 where something is. */
export async function verifyOutputs(out: string, { quick }: VerifyFlags, signal: AbortSignal): Promise<void> {
  const told = new Map<string, number>();
  const found = await verifyShards({
    ...{ out, quick, signal },
    onProblem: ({ kind, sentence }) => {
      const before = told.get(kind) ?? 0;
      told.set(kind, before + 1);
      if (before < TOLD) process.stderr.write(`${kind}: ${printable(sentence, 1000)}\n`);
      else if (before === TOLD) process.stderr.write(`${kind}: …\n`);
    },
  });
  const { shards, whole, photos, failures, passing, underWay, problems } = found;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`${whole} of ${count(shards, "shard")} whole, ${count(photos, "photo")} labelled`);
  if (failures > 0) say(`${count(failures, "photo")} could not be labelled (the manifests say why)`);
  if (passing > 0) say(`${passing} of these may be had later: label the shards again`);
  if (underWay > 0) say(`${count(underWay, "shard")} under way, or left half done`);
  const wrong = PROBLEMS.filter((kind) => problems[kind] > 0);
  if (wrong.length === 0) return say(`Nothing is wrong${quick ? ", by the sizes" : ""}.`);
  say(`Problems: ${wrong.map((kind) => `${problems[kind]} ${kind}`).join(", ")}`);
  process.exitCode = 1;
}
