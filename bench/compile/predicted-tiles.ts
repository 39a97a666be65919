/**
 * @file What the lab predicts of the tiles of a product, for those cards that nobody has timed. A tile costs
 *
 *     FLOP / (filled · bound · waves · groups)
 *
 * where `filled` is the share of its multiply-adds that are of the result and not beyond its edge; `bound` the share of the
 * peak that the loop leaves within reach (figures.ts); `waves` how far a SIMD holds the subgroups that hide its waiting, a quarter of
 * its slots being enough; and `groups` how far there are workgroups for the whole card. It is no time, and says nothing of memory:
 * of tiles that differ in how a sum is split alone it can tell none from the other, and they are left out.
 */
import type { ContributedProduct } from "../../src/graph/autotune/contribution.ts";
import { tileClass } from "../../src/kernels/conv2d/tile-class.ts";
import { tileGroup } from "../../src/kernels/conv2d/tiles.ts";
import type { Family } from "./families.ts";
import { figuresOf } from "./figures.ts";
import type { LabGroup, LabPipeline } from "./task.ts";

/** Share of a SIMD's slots that hide what its subgroups wait for. */
const ENOUGH_OCCUPANCY = 0.25;
/** Workgroups that keep a large card busy. */
const ENOUGH_WORKGROUPS = 256;

/** The products of a lab's `everyTile` task with what is predicted of each tile; those whose default did not compile are left out. */
export function predictedProducts(pipelines: readonly LabPipeline[], family: Family): ContributedProduct[] {
  const groups = new Map<string, { group: LabGroup; pipelines: LabPipeline[] }>();
  for (const pipeline of pipelines) {
    const group = pipeline.product?.group;
    if (!group) continue;
    const name = tileGroup(group.request);
    const known = groups.get(name);
    if (known) known.pipelines.push(pipeline);
    else groups.set(name, { group, pipelines: [pipeline] });
  }
  return [...groups.values()].flatMap(({ group, pipelines: [usual, ...others] }) => {
    const split = usual.product!.tile.workgroups;
    const comparable = [usual, ...others.filter(({ product }) => product!.tile.workgroups === split)];
    const tiles = comparable.flatMap((pipeline) => {
      const cost = costOf(pipeline, family);
      return cost === null ? [] : [{ tile: pipeline.product!.tile, cost }];
    });
    if (tiles[0]?.tile !== usual.product!.tile) return [];
    return [{ class: tileClass(group.request), request: group.request, uses: group.uses, tiles }];
  });
}

function costOf(pipeline: LabPipeline, family: Family): number | null {
  const {
    record,
    flops: [flops],
    product,
  } = pipeline;
  if (record === null) return null;
  const { loop, occupancy } = figuresOf(pipeline, record, family);
  if (loop === null) return null;
  const { filled, workgroups } = product!.group!;
  const waves = Math.min(1, occupancy / ENOUGH_OCCUPANCY);
  const groups = Math.min(1, workgroups / ENOUGH_WORKGROUPS);
  return Number((flops / (filled * loop.bound * waves * groups) / 1e9).toPrecision(4));
}
