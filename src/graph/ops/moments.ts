import { copyChannels } from "../../kernels/copy-channels.ts";
import { allChannels } from "../../kernels/text/channel-range.ts";
import type { ChannelRange } from "../../kernels/text/channel-range.ts";
import { mergeMoments, moments, momentsBackward } from "../../kernels/moments.ts";
import type { Tensor } from "../graph.ts";
import type { MomentsInPassing } from "../lowering/taps.ts";
import { lowerToMoments } from "../lowering/tiles.ts";
import { batchSlice } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { channelSumGradient, mergePartials, reductionParts, rowsPerItem } from "./channel-reduction.ts";
import { scale } from "./scale.ts";

/** Mean and biased variance a channel, both `[C]`. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * Mean and biased variance of `x` `[N, .., C]` over all axes but the last, both `[C]` (`tf.nn.moments`): those that
 * the op which makes x finds by the way, or else found by reading x. Batch norm's gradient by x accounts for them; what
 * else depends on them adds to it.
 */
export function channelMoments(x: Tensor): Moments {
  const made = momentsOf.get(x) ?? makeMoments(x);
  momentsOf.set(x, made);
  return made;
}

/** Those that are in the graph, so that several batch norms of one tensor share them. */
const momentsOf = new WeakMap<Tensor, Moments>();

function makeMoments(x: Tensor): Moments {
  const pattern = x.node?.op.pattern;
  if (pattern?.kind === "concat") {
    const all = pattern.parts.map(channelMoments);
    return {
      mean: joinVectors(all.map(({ mean }) => mean)),
      variance: joinVectors(all.map(({ variance }) => variance)),
    };
  }
  const known = x.node?.outputs[0] === x ? x.node.op.moments : undefined;
  if (x.node && known) return { mean: x.node.outputs[known.mean], variance: x.node.outputs[known.variance] };
  const type = { shape: x.shape.slice(-1), dtype: "f32" } as const;
  const node = x.graph.apply(
    {
      name: "moments",
      family: "normalization",
      outputs: [type, type],
      lower(l, [mean, variance]) {
        const { parts, partialCount, channels } = reductionParts(l, [x]);
        const partials = [channels, channels, 1].map((width) => l.scratch(4 * partialCount * width));
        for (const { range, walk, firstPartial } of parts) {
          const [partialMean, partialVariance, count] = partials;
          const operands = { x: batchSlice(x, range), mean: partialMean, variance: partialVariance, count };
          l.dispatch(moments(walk, firstPartial), operands);
        }
        mergePartials(
          l,
          partialCount,
          channels,
          partials,
          [mean, variance, l.scratch(4)],
          (walk, from, to) => {
            l.dispatch(mergeMoments(walk), {
              partialMean: from[0],
              partialVariance: from[1],
              partialCount: from[2],
              mean: to[0],
              variance: to[1],
              count: to[2],
            });
          },
        );
      },
      gradient: ([dmean, dvariance], [mean]) => [() => momentsGradient(x, mean, dmean, dvariance)],
    },
    [x],
  );
  return { mean: node.outputs[0], variance: node.outputs[1] };
}

/** The gradient by `x` of what depends on its moments; `null` for one that has no influence. */
export function momentsGradient(
  x: Tensor,
  mean: Tensor,
  dmean: Tensor | null,
  dvariance: Tensor | null,
): Tensor {
  const batchRows = sizeOf(x.shape.slice(0, -1));
  if (!dvariance) return channelSumGradient(x, scale(dmean!, 1 / batchRows));
  const vectors = { mean, dvariance, ...(dmean && { dmean }) };
  return x.graph.apply(
    {
      name: "moments_gradient",
      outputs: [x],
      lower(l, [dx]) {
        for (const range of l.slices([x, dx])) {
          const options = { batchRows, dmean: dmean !== null };
          const kernel = momentsBackward(l.target, range.count * rowsPerItem(x), mean.shape[0], options);
          l.dispatch(kernel, { ...vectors, x: batchSlice(x, range), dx: batchSlice(dx, range) });
        }
      },
    },
    [x, ...Object.values(vectors)],
  ).outputs[0];
}

/** Of a convolution, whose result a batch norm may normalize. */
export const momentsInPassing: MomentsInPassing = { lower: lowerToMoments, gradient: momentsGradient };

/** Vectors `[Ci]` one after the other, `[ΣCi]`. */
function joinVectors(vectors: readonly Tensor[]): Tensor {
  const sizes = vectors.map(({ shape }) => shape[0]);
  const width = sizes.reduce((sum, size) => sum + size, 0);
  const begins = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  return vectors[0].graph.apply(
    {
      name: "join_vectors",
      family: "copy",
      derived: true,
      outputs: [{ shape: [width], dtype: "f32" }],
      lower(l, [y]) {
        vectors.forEach((x, i) => {
          const to = { width, begin: begins[i] };
          l.dispatch(copyChannels(l.target, 1, sizes[i], allChannels(sizes[i]), to), { x, y });
        });
      },
      gradient: ([dy]) =>
        vectors.map((vector, i) => () => vectorSlice(vector, dy!, { width, begin: begins[i] })),
    },
    vectors,
  ).outputs[0];
}

/** The part of `dy` `[range.width]` that has the shape of `vector` and begins at `range.begin`. */
function vectorSlice(vector: Tensor, dy: Tensor, range: ChannelRange): Tensor {
  const [size] = vector.shape;
  return dy.graph.apply(
    {
      name: "slice_vector",
      family: "copy",
      outputs: [vector],
      lower: (l, [y]) => l.dispatch(copyChannels(l.target, 1, size, range, allChannels(size)), { x: dy, y }),
    },
    [dy],
  ).outputs[0];
}
