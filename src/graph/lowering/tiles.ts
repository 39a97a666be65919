/** @file Products whose tiles leave partials, one behind the other in one scratch buffer, however the batch is cut. */
import { momentsEpilogue } from "../../kernels/conv2d/epilogue.ts";
import type { Epilogue } from "../../kernels/conv2d/epilogue.ts";
import { mergeTileMoments } from "../../kernels/fold-norm.ts";
import { allChannels } from "../../kernels/text/channel-range.ts";
import { filledUp } from "../../kernels/text/lane.ts";
import type { TapKernel } from "../../kernels/conv2d/tap-product.ts";
import type { Tensor } from "../graph.ts";
import type { BatchRange, Lowering, Operand, Scratch } from "../op.ts";

/** A product of one range of the batch. */
interface Part {
  readonly product: TapKernel;
  readonly operands: Readonly<Record<string, Operand>>;
}

/**
 * Dispatches a product for each of `ranges`. `perPartial`: how many numbers a partial has in each buffer, by the name of
 * its binding. `make` gets the number of the first partial of its range.
 *
 * @returns the number of partials, and the buffers.
 */
export function lowerTiles<Name extends string>(
  l: Lowering,
  ranges: readonly BatchRange[],
  perPartial: Readonly<Record<Name, number>>,
  make: (range: BatchRange, firstPartial: number) => Part,
): { partialCount: number; partials: Record<Name, Scratch> } {
  let partialCount = 0;
  const parts = ranges.map((range) => {
    const part = make(range, partialCount);
    partialCount += part.product.partialCount;
    return part;
  });
  const partials = Object.fromEntries(
    Object.entries<number>(perPartial).map(([name, numbers]) => [
      name,
      l.scratch(4 * numbers * partialCount),
    ]),
  ) as Record<Name, Scratch>;
  for (const { product, operands } of parts) l.dispatch(product.kernel, { ...operands, ...partials });
  return { partialCount, partials };
}

/** Numbers a partial of what `momentsStore` leaves of `channels` channels. */
export const momentsPerPartial = (channels: number) => ({ partials: 2 * filledUp(channels), counts: 1 });

/** {@link lowerTiles} of products that store `channels` channels with `momentsStore`, merged to `mean` and `variance`. */
export function lowerTilesToMoments(
  l: Lowering,
  ranges: readonly BatchRange[],
  channels: number,
  { mean, variance }: { mean: Tensor; variance: Tensor },
  make: (range: BatchRange, firstPartial: number) => Part,
): void {
  const { partialCount, partials } = lowerTiles(l, ranges, momentsPerPartial(channels), make);
  const merge = mergeTileMoments(l.target, { begin: 0, fresh: channels, partialCount });
  l.dispatch(merge, { ...partials, mean, variance });
}

/** {@link lowerTilesToMoments} of products that store all that they make, by the epilogue that `make` is given. */
export function lowerToMoments(
  l: Lowering,
  ranges: readonly BatchRange[],
  channels: number,
  moments: { mean: Tensor; variance: Tensor },
  make: (range: BatchRange, epilogue: Epilogue) => Part,
): void {
  lowerTilesToMoments(l, ranges, channels, moments, (range, firstPartial) =>
    make(range, momentsEpilogue(allChannels(channels), firstPartial)),
  );
}
