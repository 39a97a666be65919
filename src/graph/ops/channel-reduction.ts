/**
 * @file Reductions of tensors `[.., C]` to one number a channel, in two or three dispatches: every part of the batch
 * leaves its partials in rows of its own of one scratch buffer `[partials, C]`, then all of them are merged. However the
 * batch was cut, the result is that of the whole.
 */
import { channelWalk, mergeWalks } from "../../kernels/text/channels.ts";
import type { ChannelWalk } from "../../kernels/text/channels.ts";
import { sumChannels, sumChannelsBackward } from "../../kernels/channel-sum.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Operand, Scratch } from "../op.ts";
import { shapeText, sizeOf } from "../shape.ts";

/** How many rows of channels (pixels) each item of a batch `[N, .., C]` has. */
export const rowsPerItem = ({ shape }: Tensor): number => sizeOf(shape.slice(1, -1));

/** @throws Error when `x` does not have a batch and a channel axis, or one of `vectors` is not `[C]`. */
export function checkChannels(op: string, x: Tensor, vectors: readonly Tensor[] = []): void {
  if (x.shape.length < 2) {
    throw new Error(`${op}: "${x.name}" ${shapeText(x.shape)} needs a batch axis and a channel axis.`);
  }
  const channels = x.shape[x.shape.length - 1];
  for (const { name, shape } of vectors) {
    if (shape.length === 1 && shape[0] === channels) continue;
    throw new Error(
      `${op}: "${name}" is ${shapeText(shape)} and must be [${channels}] to fit "${x.name}" ${shapeText(x.shape)}.`,
    );
  }
}

export interface ReductionPart {
  readonly range: BatchRange;
  readonly walk: ChannelWalk;
  readonly firstPartial: number;
}

/**
 * The parts in which `tensors`, all of one shape, are reduced, and how many partials they leave together.
 *
 * @param perChannel how many numbers a partial has of each channel in one buffer
 */
export function reductionParts(
  l: Lowering,
  tensors: readonly Tensor[],
  perChannel = 1,
): { parts: ReductionPart[]; partialCount: number; channels: number } {
  const [{ shape }] = tensors;
  const channels = shape[shape.length - 1];
  const ranges = l.slices(tensors);
  // The partials are bound as a whole, so they must fit a binding too.
  const most = Math.max(
    1,
    Math.floor(l.target.maxBindingBytes / (4 * perChannel * channels * ranges.length)),
  );
  let partialCount = 0;
  const parts = ranges.map((range) => {
    const rows = range.count * rowsPerItem(tensors[0]);
    let walk = channelWalk(l.target, rows, channels, "reduce");
    if (walk.partialCount > most) walk = channelWalk(l.target, rows, channels, most);
    const firstPartial = partialCount;
    partialCount += walk.partialCount;
    return { range, walk, firstPartial };
  });
  return { parts, partialCount, channels };
}

/**
 * Runs the merges of partials `[partials, channels]`: `dispatch` gets each walk, where to read and where to write, in
 * the same order as `partials`; the last one writes `results`.
 */
export function mergePartials(
  l: Lowering,
  partialCount: number,
  channels: number,
  partials: readonly Scratch[],
  results: readonly Operand[],
  dispatch: (walk: ChannelWalk, from: readonly Operand[], to: readonly Operand[]) => void,
): void {
  let from: readonly Operand[] = partials;
  for (const walk of mergeWalks(l.target, partialCount, channels)) {
    const to =
      walk.partialCount === 1
        ? results
        : partials.map(({ bytes }) => l.scratch((bytes / partialCount) * walk.partialCount));
    dispatch(walk, from, to);
    from = to;
  }
}

/** Rows that are summed up at once, without partial sums. */
const FEW_ROWS = 128;

/**
 * Sum over all axes but the last: `[N, .., C]` to `[C]`, in f32.
 *
 * @throws Error when x has fewer than two axes.
 */
export function channelSum(x: Tensor): Tensor<"f32"> {
  checkChannels("channelSum", x);
  return x.graph.apply(
    {
      name: "channel_sum",
      family: "elementwise",
      pattern: { kind: "channelSum", x },
      outputs: [{ shape: x.shape.slice(-1), dtype: "f32" }],
      lower(l, [sum]) {
        const rows = sizeOf(x.shape.slice(0, -1));
        const { parts, partialCount, channels } = reductionParts(l, [x]);
        if (rows <= FEW_ROWS && parts.length === 1) {
          l.sum([{ partials: x, partialCount: rows, count: channels, result: sum }]);
          return;
        }
        const partials = l.scratch(4 * partialCount * channels);
        for (const { range, walk, firstPartial } of parts) {
          l.dispatch(sumChannels(walk, firstPartial), { x: batchSlice(x, range), sum: partials });
        }
        l.sum([{ partials, partialCount, count: channels, result: sum }]);
      },
      gradient: ([dsum]) => [() => channelSumGradient(x, dsum!)],
    },
    [x],
  ).outputs[0];
}

/** `dsum` `[C]` repeated in the shape and type of `x` `[.., C]`. */
export function channelSumGradient(x: Tensor, dsum: Tensor): Tensor {
  return x.graph.apply(
    {
      name: "channel_sum_gradient",
      outputs: [x],
      lower(l, [dx]) {
        for (const range of l.slices([dx])) {
          const kernel = sumChannelsBackward(l.target, range.count * rowsPerItem(x), dsum.shape[0]);
          l.dispatch(kernel, { dsum, dx: batchSlice(dx, range) });
        }
      },
      gradient: ([d]) => [() => channelSum(d!)],
    },
    [dsum],
  ).outputs[0];
}
