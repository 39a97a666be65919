import { sameTile } from "../../kernels/conv2d/tiles.ts";
import type { Tile } from "../../kernels/tiling.ts";
import type { Candidate, ProductGroup, Work } from "./products.ts";

/** Runs work and says how long it took. */
export interface Timer {
  /** Makes ready what `time` needs and can be made for several works at once; why it cannot be, or null when it can. */
  compile(work: Work): Promise<string | null>;
  /** Milliseconds of one run of what was compiled. */
  time(work: Work): Promise<number>;
}

/** What was found out about one tile. */
export interface Measurement {
  readonly tile: Tile;
  /** Of one run each; fewer for a tile that was slow at once, none for one that failed. */
  readonly milliseconds: readonly number[];
  /** Why it cannot be used. */
  readonly failure?: string;
}

/** What was found out about a group of products. */
export interface Finding {
  readonly winner: Tile;
  /** Of every tile, the default first. */
  readonly measurements: readonly Measurement[];
}

export interface SearchOptions {
  /** After so much time no other group is begun; those left out keep the default. */
  readonly seconds: number;
  /** Ends the search between two groups. */
  readonly signal?: AbortSignal | undefined;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** Runs of a tile that are timed. */
const SAMPLES = 5;
/** A tile that took so much longer than the quickest in its first two runs gets no other, unless it is the default. */
const HOPELESS = 1.5;
/** So much quicker than the default a tile must be to replace it. */
const MARGIN = 0.05;

/**
 * Finds the quickest tile of each group, those first that take most of the programs' time. The default stays where no other
 * tile is quicker by a margin, and where it is the only one that works.
 *
 * @returns what was found, by the name of the group.
 * @throws the signal's reason.
 */
export async function search(
  groups: readonly ProductGroup[],
  timer: Timer,
  { seconds, signal, now = () => performance.now() }: SearchOptions,
): Promise<Map<string, Finding>> {
  const end = now() + 1000 * seconds;
  const findings = new Map<string, Finding>();
  for (const group of await costliestFirst(groups, timer, () => now() >= end)) {
    signal?.throwIfAborted();
    if (now() >= end) break;
    findings.set(group.name, await fastest(group.candidates, timer));
  }
  return findings;
}

/** The groups by how long their products take in the default tile. */
async function costliestFirst(
  groups: readonly ProductGroup[],
  timer: Timer,
  outOfTime: () => boolean,
): Promise<ProductGroup[]> {
  await Promise.all(groups.map(({ candidates: [usual] }) => timer.compile(usual.work)));
  const costs = new Map<ProductGroup, number>();
  for (const group of groups) {
    const [{ work }] = group.candidates;
    if (outOfTime() || (await timer.compile(work)) !== null) continue;
    costs.set(group, group.uses * (await timer.time(work)));
  }
  return [...costs].sort(([, a], [, b]) => b - a).map(([group]) => group);
}

async function fastest(candidates: readonly Candidate[], timer: Timer): Promise<Finding> {
  const failures = await Promise.all(candidates.map(({ work }) => timer.compile(work)));
  const times = candidates.map((): number[] => []);
  // In turns, so that whatever else the machine does meets all of them alike.
  for (let sample = 0; sample < SAMPLES; sample++) {
    const limit = HOPELESS * Math.min(...times.map(best));
    for (const [i, { work }] of candidates.entries()) {
      const hopeless = i > 0 && sample >= 2 && best(times[i]) > limit;
      if (failures[i] === null && !hopeless) times[i].push(await timer.time(work));
    }
  }
  const measurements = candidates.map(({ tile }, i) => ({
    tile,
    milliseconds: times[i],
    ...(failures[i] !== null && { failure: failures[i] }),
  }));
  return { winner: winnerOf(measurements), measurements };
}

/**
 * The tile with the smallest median, if by a margin it is quicker than the default, which comes first, in its best run too:
 * medians of few runs are at the mercy of what else the machine does.
 */
export function winnerOf(measurements: readonly Measurement[]): Tile {
  const beats = (of: (times: readonly number[]) => number, i: number): boolean =>
    of(measurements[i].milliseconds) < (1 - MARGIN) * of(measurements[0].milliseconds);
  const medians = measurements.map(({ milliseconds }, i) =>
    beats(medianOf, i) && beats(best, i) ? medianOf(milliseconds) : Infinity,
  );
  const quickest = Math.min(...medians);
  return measurements[quickest < Infinity ? medians.indexOf(quickest) : 0].tile;
}

/** How many times as quick as the default the winner is. */
export function gainOf({ winner, measurements }: Finding): number {
  const won = measurements.find(({ tile }) => sameTile(tile, winner));
  return won ? medianOf(measurements[0].milliseconds) / medianOf(won.milliseconds) : 1;
}

// Both are infinite for no times at all.
const best = (times: readonly number[]): number => Math.min(...times);
export function medianOf(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.length === 0 ? Infinity : sorted[Math.floor(sorted.length / 2)];
}
