import { tileCandidates, tileGroup } from "../../kernels/conv2d/tiles.ts";
import type { Tile, TileRequest } from "../../kernels/tiling.ts";
import type { KernelTarget } from "../../kernels/kernel.ts";
import type { Dispatch } from "../dispatch.ts";
import { plan } from "../plan.ts";
import type { Goals } from "../plan.ts";

/** Dispatches that are timed together: a matrix product, and what merges the partial results that its tiles leave. */
export type Work = readonly Dispatch[];

export interface Candidate {
  readonly tile: Tile;
  readonly work: Work;
}

/** Products that are to share a tile; the largest of them stands for all. */
export interface ProductGroup {
  /** As `tileGroup` names it. */
  readonly name: string;
  /** The largest of them. */
  readonly request: TileRequest;
  /** How many products of it the programs have. */
  readonly uses: number;
  /** The default first. */
  readonly candidates: readonly Candidate[];
}

/** The product that stands for its group: where it is, and its work in each tile that could be planned. */
interface Representative {
  readonly name: string;
  readonly request: TileRequest;
  readonly tiles: readonly Tile[];
  readonly goals: Goals;
  /** Its number among the program's products. */
  readonly number: number;
  readonly uses: number;
  readonly candidates: Candidate[];
}

/**
 * The groups of matrix products that programs with these goals run and that there is more than one tile for, as far as they
 * are `wanted`, and their work in every tile.
 */
export function productGroups(
  goals: readonly Goals[],
  target: KernelTarget,
  wanted: (name: string) => boolean = () => true,
): ProductGroup[] {
  const found = new Map<string, Representative>();
  for (const one of goals) {
    productsOf(one, { ...target, tileFor: undefined }).forEach(({ request, work }, number) => {
      const name = tileGroup(request);
      if (!wanted(name)) return;
      const known = found.get(name);
      const uses = (known?.uses ?? 0) + 1;
      if (known && sizeOf(known.request) >= sizeOf(request)) found.set(name, { ...known, uses });
      else {
        const tiles = tileCandidates(target, request);
        found.set(name, {
          name,
          request,
          tiles,
          goals: one,
          number,
          uses,
          candidates: [{ tile: tiles[0], work }],
        });
      }
    });
  }
  const groups = [...found.values()].filter(({ tiles }) => tiles.length > 1);
  const most = Math.max(0, ...groups.map(({ tiles }) => tiles.length));
  for (let i = 1; i < most; i++) {
    for (const one of goals) {
      const mine = groups.filter(({ goals, tiles }) => goals === one && i < tiles.length);
      if (mine.length === 0) continue;
      const products = productsOf(one, {
        ...target,
        tileFor: (request) => tileCandidates(target, request)[i],
      });
      for (const { tiles, number, candidates } of mine)
        candidates.push({ tile: tiles[i], work: products[number].work });
    }
  }
  return groups;
}

/** The matrix products of a program, in order. */
function productsOf(goals: Goals, target: KernelTarget): { request: TileRequest; work: Work }[] {
  const { dispatches } = plan(goals, target);
  return dispatches.flatMap((dispatch, i) => {
    const { tiling } = dispatch.kernel;
    if (!tiling) return [];
    const next = dispatches.at(i + 1);
    const merges = next?.bindings.some(
      ({ owner, access }) =>
        access === "read" &&
        "scratch" in owner &&
        dispatch.bindings.some((bound) => bound.access === "read_write" && bound.owner === owner),
    );
    return [{ request: tiling.request, work: next && merges ? [dispatch, next] : [dispatch] }];
  });
}

const sizeOf = ({ rows, columns, depth }: TileRequest): number => rows * columns * depth;
