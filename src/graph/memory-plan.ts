import type { Tensor } from "./graph.ts";
import type { OpFamily, Scratch } from "./op.ts";
import type { Lifetime, Plan } from "./plan.ts";

/** A computed tensor or scratch buffer in its block of the arena. */
export interface MemoryTenant {
  /** As the graph has it, e.g. `conv2d_12`; `scratch 3` for a buffer an op uses only for itself. */
  readonly name: string;
  /** The op that computes or uses it. */
  readonly op: string;
  /** The family of that op; absent from plans that were written before there were families. */
  readonly family?: OpFamily | "other";
  /** Whether that op is part of the backward pass. */
  readonly backward?: boolean;
  /** What it takes of its block, in bytes. */
  readonly bytes: number;
  /** The first dispatch, from 0, that touches it. */
  readonly first: number;
  /** The last one that does; {@link MemoryPlan.dispatches} for an output, which is read after the run. */
  readonly last: number;
}

/** A buffer of the arena, and who lies in it. */
export interface MemoryBlock {
  /** Its size in bytes. */
  readonly bytes: number;
  /** In order of time; no two of them live at the same dispatch. */
  readonly tenants: readonly MemoryTenant[];
}

/** Who lies where in the arena, and when: plain data, to be written as JSON and drawn. */
export interface MemoryPlan {
  /** Dispatches of a run. */
  readonly dispatches: number;
  /** Bytes of everything that is computed in a run. */
  readonly arenaBytes: number;
  /** Bytes of what is fed. */
  readonly inputBytes: number;
  /** Bytes of the variables that the program reads or changes. */
  readonly variableBytes: number;
  /** Arena, inputs and variables together. */
  readonly peakBytes: number;
  /** What the arena would take if no tensor shared its block with another. */
  readonly unsharedBytes: number;
  /** The most bytes that live at one dispatch: no arena could be smaller. */
  readonly liveBytes: number;
  /** The largest first. */
  readonly blocks: readonly MemoryBlock[];
}

/** Describes the arena of `plan`. */
export function describeMemoryPlan(plan: Plan): MemoryPlan {
  const { blocks, blockOf, dispatches, lifetimes } = plan;
  const { arenaBytes, inputBytes, variableBytes, peakBytes } = plan.summary;
  const tenants: MemoryTenant[][] = blocks.map(() => []);
  for (const { owner, bytes, first, last } of lifetimes) {
    const { op, backward } = dispatches[first].node;
    const { name, family = "other" } = op;
    tenants[blockOf.get(owner)!].push({
      name: nameOf(owner),
      op: name,
      family,
      backward,
      bytes,
      first,
      last,
    });
  }
  return {
    dispatches: dispatches.length,
    arenaBytes,
    inputBytes,
    variableBytes,
    peakBytes,
    unsharedBytes: lifetimes.reduce((sum, { bytes }) => sum + bytes, 0),
    liveBytes: Math.max(0, ...liveBytes(lifetimes, dispatches.length)),
    blocks: blocks.map((bytes, block) => ({ bytes, tenants: tenants[block] })),
  };
}

/** The bytes that live at each dispatch. */
export function liveBytes(
  lives: readonly Pick<Lifetime, "bytes" | "first" | "last">[],
  dispatches: number,
): number[] {
  const changes = new Array<number>(dispatches + 2).fill(0);
  for (const { bytes, first, last } of lives) {
    changes[first] += bytes;
    changes[last + 1] -= bytes;
  }
  let live = 0;
  return changes.slice(0, dispatches).map((change) => (live += change));
}

const nameOf = (owner: Tensor | Scratch): string =>
  "scratch" in owner ? `scratch ${owner.scratch}` : owner.name;
