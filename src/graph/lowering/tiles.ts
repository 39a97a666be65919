/** @file Products whose tiles leave partials, in slots of one scratch buffer, however the batch is cut. */
import { mergeTileMoments } from "../../kernels/fold-norm.ts";
import type { TapKernel } from "../../kernels/conv2d/tap-product.ts";
import type { Tensor } from "../graph.ts";
import type { BatchRange, Lowering, Operand, Scratch } from "../op.ts";

/**
 * Dispatches a product for each of `ranges`. `perSlot`: numbers that each buffer of partials has a slot, by the name of
 * its binding. `make` gets the number of the first slot of its range.
 *
 * @returns the number of slots, and the buffers.
 */
export function lowerTiles<Name extends string>(
  l: Lowering,
  ranges: readonly BatchRange[],
  perSlot: Readonly<Record<Name, number>>,
  make: (
    range: BatchRange,
    firstSlot: number,
  ) => { readonly product: TapKernel; readonly operands: Readonly<Record<string, Operand>> },
): { slots: number; partials: Record<Name, Scratch> } {
  let slots = 0;
  const parts = ranges.map((range) => {
    const part = make(range, slots);
    slots += part.product.slots;
    return part;
  });
  const partials = Object.fromEntries(
    Object.entries<number>(perSlot).map(([name, numbers]) => [name, l.scratch(4 * numbers * slots)]),
  ) as Record<Name, Scratch>;
  for (const { product, operands } of parts) l.dispatch(product.kernel, { ...operands, ...partials });
  return { slots, partials };
}

/** Numbers a slot of what `momentsStore` leaves of `channels` channels. */
export const momentsPerSlot = (channels: number) => ({ partials: 2 * channels, counts: 1 });

/** {@link lowerTiles} of products that store `channels` channels with `momentsStore`, merged to `mean` and `variance`. */
export function lowerTilesToMoments(
  l: Lowering,
  ranges: readonly BatchRange[],
  channels: number,
  { mean, variance }: { mean: Tensor; variance: Tensor },
  make: Parameters<typeof lowerTiles>[3],
): void {
  const { slots, partials } = lowerTiles(l, ranges, momentsPerSlot(channels), make);
  const merge = mergeTileMoments(l.target, { begin: 0, fresh: channels, slots });
  l.dispatch(merge, { ...partials, mean, variance });
}
