import { NORM_PLANES } from "../../kernels/text/norm-planes.ts";
import { beginOf, STACK_ALIGNMENT, storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Op } from "../op.ts";
import { fedOf, moveAll } from "../ops/moving-statistics.ts";
import type { Momentum, Moved } from "../ops/moving-statistics.ts";
import type { MovingStatisticsPattern } from "../pattern.ts";
import type { FamilyLayout } from "./layout.ts";
import type { NormTable, NormTables } from "./norm-tables.ts";

/** Moving statistics of one norm, or of several that lie next to each other: `count` channels from `begin` on. */
interface Run {
  readonly table: NormTable;
  readonly begin: number;
  readonly count: number;
  readonly momentum: Momentum;
  readonly movingMean: Tensor;
  readonly movingVariance: Tensor;
}

/**
 * The moving statistics of rewritten norms move towards the planes that are kept of these. Those of norms that lie next to
 * each other in the same stacks move as one.
 */
export function fuseMovingStatistics(
  nodes: readonly Node[],
  families: readonly FamilyLayout[],
  tables: NormTables,
): Map<Node, readonly Node[]> {
  const norms = new Map(
    families.flatMap((family) =>
      family.norms.map((norm) => [norm.node.outputs[0], { family, norm }] as const),
    ),
  );
  const replaced = new Map<Node, readonly Node[]>();
  const runs: Run[] = [];
  const single: { moved: Moved; reads: Tensor[] }[] = [];
  const moving = nodes.flatMap((node) => {
    const { pattern } = node.op;
    const known = pattern?.kind === "movingStatistics" ? norms.get(pattern.norm) : undefined;
    return known ? [{ node, pattern: pattern as MovingStatisticsPattern, ...known }] : [];
  });
  for (const { node, pattern, family, norm } of moving) {
    replaced.set(node, []);
    const { movingMean, movingVariance, momentum } = pattern;
    const table = tables.of(norm.pattern);
    const begin = beginOf(norm.pattern.gamma);
    const stacked = [movingMean, movingVariance].every(
      (tensor) => beginOf(tensor) === begin && storageOf(tensor).shape[0] === table.size,
    );
    if (stacked && table.size % STACK_ALIGNMENT === 0) {
      runs.push({
        table,
        begin,
        count: norm.channels,
        momentum,
        movingMean: storageOf(movingMean),
        movingVariance: storageOf(movingVariance),
      });
    } else {
      const { mean, variance } = family;
      const count = norm.channels;
      single.push({
        moved: { count, momentum, mean, variance, movingMean, movingVariance },
        reads: [mean, variance],
      });
    }
  }
  const all = [...joined(runs).map(movedOf), ...single];
  if (all.length > 0) {
    const updates = [...new Set(moving.flatMap(({ node }) => node.op.updates ?? []).map(storageOf))];
    const op: Op = {
      name: moving[0].node.op.name,
      family: "normalization",
      outputs: [],
      updates,
      lower: (l) =>
        moveAll(
          l,
          all.map(({ moved }) => moved),
        ),
    };
    const fed = new Set(all.flatMap(({ moved }) => fedOf(moved.momentum)));
    const inputs = [...all.flatMap(({ reads }) => reads), ...fed, ...updates];
    replaced.set(moving[moving.length - 1].node, [{ ...moving[0].node, op, inputs }]);
  }
  return replaced;
}

/** Runs that follow each other, but for what lies between two parts of a stack, as one. */
function joined(runs: readonly Run[]): Run[] {
  const sorted = [...runs].sort((a, b) => a.begin - b.begin);
  const result: Run[] = [];
  const lastOf = new Map<Tensor, number>();
  for (const run of sorted) {
    const index = lastOf.get(run.movingMean);
    const last = index === undefined ? undefined : result[index];
    const next = last && Math.ceil((last.begin + last.count) / STACK_ALIGNMENT) * STACK_ALIGNMENT;
    const follows =
      last?.table === run.table &&
      last.movingVariance === run.movingVariance &&
      last.momentum === run.momentum &&
      next === run.begin;
    if (follows) result[index!] = { ...last, count: run.begin + run.count - last.begin };
    else lastOf.set(run.movingMean, result.push(run) - 1);
  }
  return result;
}

function movedOf({ table, begin, count, momentum, movingMean, movingVariance }: Run): {
  moved: Moved;
  reads: Tensor[];
} {
  const plane = (name: (typeof NORM_PLANES)[number]) =>
    batchSlice(table.planes, { first: NORM_PLANES.indexOf(name) * table.size + begin, count });
  const range = { first: begin, count };
  return {
    moved: {
      count,
      momentum,
      mean: plane("mean"),
      variance: plane("variance"),
      movingMean: batchSlice(movingMean, range),
      movingVariance: batchSlice(movingVariance, range),
    },
    reads: [table.planes],
  };
}
