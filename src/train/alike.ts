/**
 * @file Ranks that do not train the same would learn nonsense, and say nothing of it: before the first step they compare what they
 * were started with.
 */
import { createHash } from "node:crypto";
import type { TrainConfig } from "../config/index.ts";
import { VERSION } from "../files/package.ts";
import { messageOf } from "../message-of.ts";
import type { Collectives } from "../mpi/collectives.ts";
import { RunError } from "../runs/run-error.ts";
import { TrainingDivergedError } from "./training-diverged-error.ts";
import { InterruptedError } from "./phase/agreement.ts";
import type { RunData } from "./run-data.ts";
import { dataMetadata } from "./take-up.ts";
import type { Variables } from "../graph/variables.ts";

/** What a rank goes by, each in few words: equal words are equal things. */
export interface RankFacts {
  readonly version: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly data: string;
  /** Of all variables before the first step: first weights, or those of a checkpoint. */
  readonly weights: string;
  /** Where the run stands. */
  readonly state: string;
}

/** What all ranks have to have alike. */
export async function factsOf(
  config: TrainConfig,
  data: RunData,
  { variables, state }: { readonly variables: Variables; readonly state: unknown },
): Promise<RankFacts> {
  const settings = Object.entries(config).filter(([name]) => !OWN.has(name));
  return {
    version: VERSION,
    settings: Object.fromEntries(settings.map(([name, value]) => [name, JSON.stringify(value)])),
    data: JSON.stringify(await dataMetadata(data)),
    weights: await digestOf(variables),
    state: JSON.stringify(state),
  };
}

/** Settings that may differ: where a rank finds its data, which device it takes. */
const OWN: ReadonlySet<string> = new Set(["data", "weights", "out", "adapter", "adapters", "cache"]);

/**
 * Waits until every rank has done `work`, and has it succeed or fail on all of them.
 *
 * @throws what it has thrown here; RunError where it failed on another rank alone, naming that.
 */
export async function onAllRanks<T>(ranks: Collectives | undefined, work: () => Promise<T>): Promise<T> {
  if (!ranks) return work();
  const outcome = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const own = "error" in outcome ? messageOf(outcome.error) : "";
  const messages = (await gather(ranks, "end of the preparation", own)) as string[];
  if ("error" in outcome) throw alike(outcome.error);
  const failed = messages.findIndex((message) => message !== "");
  if (failed >= 0) throw alike(new RunError(`Rank ${failed} could not begin: ${messages[failed]}`));
  return outcome.value;
}

const onAll = new WeakSet<object>();

function alike(error: unknown): unknown {
  if (typeof error === "object" && error !== null) onAll.add(error);
  return error;
}

/**
 * Whether every rank comes to its end by itself: they failed together, or each was told to stop. Of another failure nobody but its rank
 * knows.
 */
export const failsOnAllRanks = (error: unknown): boolean =>
  error instanceof InterruptedError ||
  error instanceof TrainingDivergedError ||
  (error instanceof Error && (error.cause instanceof TrainingDivergedError || onAll.has(error)));

/** @throws RunError naming the first thing in which a rank differs from the first one. */
export async function refuseDifferentRanks(ranks: Collectives, facts: RankFacts): Promise<void> {
  const all = (await gather(ranks, "comparison of settings", facts)) as RankFacts[];
  const [first] = all;
  for (const [rank, other] of all.entries()) {
    const different = differenceOf(first, other);
    if (different === null) continue;
    throw alike(
      new RunError(
        `Rank ${rank} does not train what rank 0 trains: ${different}. Start all ranks with the same command, files and version.`,
      ),
    );
  }
}

function differenceOf(first: RankFacts, other: RankFacts): string | null {
  if (first.version !== other.version) return `it is version ${other.version} and not ${first.version}`;
  for (const [name, value] of Object.entries(first.settings)) {
    if (other.settings[name] !== value) return `its ${name} is ${other.settings[name]} and not ${value}`;
  }
  if (first.data !== other.data) return "its photos and masks are others";
  if (first.weights !== other.weights) return "the weights that it begins with are others";
  return first.state === other.state ? null : "the checkpoint that it goes on from is another";
}

/** What each rank tells, as JSON. */
export async function gather(ranks: Collectives, what: string, told: unknown): Promise<unknown[]> {
  const all = await ranks.allGather(what, new TextEncoder().encode(JSON.stringify(told)));
  return all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as unknown);
}

async function digestOf(variables: Variables): Promise<string> {
  const hash = createHash("sha256");
  const values = [...(await variables.readAll())].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { data }] of values) hash.update(name).update(data);
  return hash.digest("hex");
}
