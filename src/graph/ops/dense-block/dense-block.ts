/**
 * @file A dense block of DenseNet (Huang et al. 2017) as one op: no concatenation is copied and no normalized tensor is
 * stored.
 *
 * One tensor y `[N, H, W, C]` of the block's final width takes the input in its first channels; every layer reads all
 * channels before its own and writes its own. Every batch norm over a channel has the same mean and variance, so they are
 * found once, from the tiles of the convolution that makes the channel; γ, β and ReLU are applied while the next
 * convolution loads its input, and again, instead of being remembered, in the backward pass.
 */
import { conv2dForwardFused } from "../../../kernels/conv2d/forward.ts";
import { momentsStore } from "../../../kernels/conv2d/store.ts";
import { foldNorm, mergeMomentsIntoNorm, mergeTileMoments } from "../../../kernels/fold-norm.ts";
import type { Tensor } from "../../graph.ts";
import { slice } from "../../op.ts";
import { shapeText, sizeOf } from "../../shape.ts";
import type { TensorType } from "../../shape.ts";
import { channelMoments } from "../moments.ts";
import { updateMovingStatistics } from "../moving-statistics.ts";
import { lowerTiles, momentsPerPartial } from "../../lowering/tiles.ts";
import { denseBlockGradient } from "./gradient.ts";
import { withMovingStatistics } from "./inference.ts";
import type { DenseBlockParameters } from "./parameters.ts";
import {
  copyInput,
  firstFusion,
  firstNorm,
  middleRange,
  normTypes,
  ownRange,
  secondFusion,
  secondNorm,
} from "./places.ts";
import { denseBlockShape, firstConv, layerChannels, secondConv } from "./shape.ts";
import type { DenseBlockShape, DenseBlockSize } from "./shape.ts";

export interface DenseBlockOptions extends DenseBlockSize {
  readonly epsilon: number;
  /** With the statistics of the batch, which move the moving ones with this momentum; `null` to use the moving ones. */
  readonly momentum: number | null;
}

/**
 * Layers of batch norm, ReLU, 1×1 convolution to `bottleneck` channels, batch norm, ReLU, 3×3 convolution to `growth`
 * channels, each reading all channels there are, `x` `[N, H, W, C]` and what the layers before have added.
 *
 * With the statistics of the batch everything has a gradient, and the moments of the result are known; with the moving ones
 * nothing has, so that it is an error to ask for one.
 *
 * @throws Error when channels are not multiples of 4 or a stack does not have its size.
 */
export function denseBlock(x: Tensor, parameters: DenseBlockParameters, options: DenseBlockOptions): Tensor {
  const shape = denseBlockShape(x, options);
  checkStacks(shape, parameters);
  return options.momentum === null
    ? withMovingStatistics(x, shape, parameters, options.epsilon)
    : withBatchStatistics(x, shape, parameters, { ...options, momentum: options.momentum });
}

function checkStacks(s: DenseBlockShape, { norm1, norm2, kernel1, kernel2 }: DenseBlockParameters): void {
  const expect = (tensors: readonly Tensor[], size: number): void => {
    for (const { name, shape } of tensors) {
      if (sizeOf(shape) === size) continue;
      throw new Error(`denseBlock: "${name}" ${shapeText(shape)} must have ${size} numbers.`);
    }
  };
  expect(Object.values(norm1) as Tensor[], s.normed);
  expect([kernel1], s.normed * s.bottleneck);
  expect(Object.values(norm2) as Tensor[], s.middle);
  expect([kernel2], 9 * s.middle * s.growth);
}

function withBatchStatistics(
  x: Tensor,
  s: DenseBlockShape,
  parameters: DenseBlockParameters,
  { epsilon, momentum }: { epsilon: number; momentum: number },
): Tensor {
  const { norm1, norm2, kernel1, kernel2 } = parameters;
  const begin = channelMoments(x);
  const half = x.dtype === "f16";
  const images = (channels: number): TensorType => ({
    shape: [s.batch, s.height, s.width, channels],
    dtype: x.dtype,
  });
  const vector = (channels: number): TensorType => ({ shape: [channels], dtype: "f32" });
  const node = x.graph.apply(
    {
      name: "dense_block",
      family: "convolution",
      moments: { mean: 2, variance: 3 },
      // The gradient by x accounts for what x does to its own moments.
      constants: [begin.mean, begin.variance],
      outputs: [
        images(s.outChannels),
        images(s.middle),
        vector(s.outChannels),
        vector(s.outChannels),
        vector(s.middle),
        vector(s.middle),
        ...normTypes(s),
      ],
      lower(l, [y, u, mean, variance, middleMean, middleVariance, planes1, planes2]) {
        const ranges = l.slices([x, y, u]);
        copyInput(l, s, x, y, ranges);
        l.dispatch(foldNorm(l.target, firstNorm(s, 0, epsilon), { keep: true }), {
          ...begin,
          gamma: norm1.gamma,
          beta: norm1.beta,
          norm: planes1,
          keptMean: mean,
          keptVariance: variance,
        });
        for (let layer = 0; layer < s.layers; layer++) {
          const place2 = secondNorm(s, layer, epsilon);
          const middle = lowerTiles(l, ranges, momentsPerPartial(s.bottleneck), (range, firstPartial) => ({
            product: conv2dForwardFused(l.target, firstConv(s, layer, range.count), {
              ...firstFusion(s, layer),
              store: momentsStore("y", s.bottleneck, middleRange(s, layer), firstPartial),
              half,
            }),
            operands: { x: slice(y, range), norm: planes1, w: kernel1, y: slice(u, range) },
          }));
          l.dispatch(
            mergeMomentsIntoNorm(l.target, place2, {
              fresh: s.bottleneck,
              partialCount: middle.partialCount,
            }),
            {
              ...middle.partials,
              gamma: norm2.gamma,
              beta: norm2.beta,
              mean: middleMean,
              variance: middleVariance,
              norm: planes2,
            },
          );
          const added = lowerTiles(l, ranges, momentsPerPartial(s.growth), (range, firstPartial) => ({
            product: conv2dForwardFused(l.target, secondConv(s, range.count), {
              ...secondFusion(s, layer, middleRange(s, layer)),
              store: momentsStore("y", s.growth, ownRange(s, layer), firstPartial),
              half,
            }),
            operands: { x: slice(u, range), norm: planes2, w: kernel2, y: slice(y, range) },
          }));
          const { partialCount, partials } = added;
          if (layer + 1 === s.layers) {
            const merge = mergeTileMoments(l.target, {
              begin: layerChannels(s, layer),
              fresh: s.growth,
              partialCount,
            });
            l.dispatch(merge, { ...partials, mean, variance });
          } else {
            const place = firstNorm(s, layer + 1, epsilon);
            l.dispatch(mergeMomentsIntoNorm(l.target, place, { fresh: s.growth, partialCount }), {
              ...partials,
              gamma: norm1.gamma,
              beta: norm1.beta,
              mean,
              variance,
              norm: planes1,
            });
          }
        }
      },
      gradient([dy], [y, u, mean, variance, , , planes1, planes2]) {
        let made: ReturnType<typeof denseBlockGradient> | undefined;
        const all = (): ReturnType<typeof denseBlockGradient> =>
          (made ??= denseBlockGradient(
            { x, y, u, dy: dy!, mean, variance, planes1, planes2, kernel1, kernel2 },
            s,
            epsilon,
          ));
        return [
          () => all().dx,
          () => all().dkernel1,
          () => all().dkernel2,
          () => all().dgamma1,
          () => all().dbeta1,
          () => all().dgamma2,
          () => all().dbeta2,
          null,
          null,
        ];
      },
    },
    [x, kernel1, kernel2, norm1.gamma, norm1.beta, norm2.gamma, norm2.beta, begin.mean, begin.variance],
  );
  const [y, , mean, variance, middleMean, middleVariance] = node.outputs;
  updateMovingStatistics({ ...norm1, moments: { mean, variance }, momentum, layers: s });
  updateMovingStatistics({ ...norm2, moments: { mean: middleMean, variance: middleVariance }, momentum });
  return y;
}
