/** @file For ops that treat many tensors alike: which of them one dispatch takes. */
import { laneFor } from "../../kernels/text/lane.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchSlice, Lowering } from "../op.ts";
import { sizeOf } from "../shape.ts";

/** The tensors one after the other, in parts that can be bound. */
export const partsOf = (l: Lowering, tensors: readonly Tensor[]): BatchSlice[] =>
  tensors.flatMap((tensor) => l.slices([tensor]).map((range) => batchSlice(tensor, range)));

/** Number of elements. */
export const lengthOf = ({ tensor, range }: BatchSlice): number =>
  range.count * sizeOf(tensor.shape.slice(1));

/** `items` in order, `size` of them a group. */
export function groupsOf<Item>(size: number, items: readonly Item[]): Item[][] {
  const groups: Item[][] = [];
  for (let first = 0; first < items.length; first += size) groups.push(items.slice(first, first + size));
  return groups;
}

/**
 * Groups of at most `size` items that are alike, so that few shaders serve them all: those that can be taken four elements
 * at a time apart from those that cannot, and the largest together.
 *
 * @param length of an item, in elements.
 */
export function groupsByLane<Item>(
  size: number,
  items: readonly Item[],
  length: (item: Item) => number,
): Item[][] {
  const bySize = [...items].sort((a, b) => length(b) - length(a));
  return ([4, 1] as const).flatMap((width) =>
    groupsOf(
      size,
      bySize.filter((item) => laneFor(length(item)).width === width),
    ),
  );
}
