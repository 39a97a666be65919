/**
 * @file The gradient of a dense block with the statistics of the batch, layer by layer from the last.
 *
 * Let x̂ be the normalized channels of the block, n the rows of the batch, and G, P, Q what the layers so far have left of
 * each channel: G = Σ γ·dz over the layers that read it, P = Σ γ·Σdz and Q = Σ γ·Σdz·x̂. What the mean and the variance cost
 * is then paid once a channel, however many layers share them: its gradient is s·(G − P/n − x̂·Q/n). G begins as the
 * gradient that came from outside over s. With u what lies between a layer's convolutions, its turn is
 *
 *     dy  = s·(G − P/n − x̂·Q/n)            of the layer's own channels: all that read them are done
 *     dz2 = dy convolved back, where relu2 let u pass;    dβ2 = Σdz2, dγ2 = Σdz2·û
 *     du  = γ2·s2·(dz2 − dβ2/n − û·dγ2/n)
 *     dz1 = du convolved back, where relu1 let y pass;    dβ1 = Σdz1, dγ1 = Σdz1·x̂
 *     G += γ1·dz1;  P += γ1·dβ1;  Q += γ1·dγ1
 *
 * dy and du are never stored: a product that needs them computes them from G and y, or from dz2 and u, while it loads. The
 * gradients of all 3×3 kernels are one batch of products, those of all 1×1 kernels another.
 */
import { allChannels } from "../../../kernels/text/channel-range.ts";
import type { ChannelRange } from "../../../kernels/text/channel-range.ts";
import { conv2dBackwardDataFused } from "../../../kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../../kernels/conv2d/backward-weights.ts";
import type { Conv2dGeometry } from "../../../kernels/conv2d/geometry.ts";
import { activationLoad, normGradientLoad } from "../../../kernels/conv2d/load.ts";
import { reluGradientStore } from "../../../kernels/conv2d/store.ts";
import type { WeightsFusion } from "../../../kernels/conv2d/weights-product.ts";
import {
  beginSharedNormGradient,
  jointLength,
  mergeNormGradient,
  mergeSharedNormGradient,
  sharedNormInputGradient,
} from "../../../kernels/norm-gradient.ts";
import { GRADIENT_PLANES, planesLength } from "../../../kernels/text/norm-planes.ts";
import type { Tensor } from "../../graph.ts";
import { slice } from "../../op.ts";
import type { BatchRange, Lowering, Operand } from "../../op.ts";
import type { TensorType } from "../../shape.ts";
import { lowerTiles } from "../../lowering/tiles.ts";
import { middleRange, ownRange } from "./places.ts";
import { channelsBefore, firstConv, secondConv } from "./shape.ts";
import type { DenseBlockShape } from "./shape.ts";

export interface DenseBlockGradient {
  readonly dx: Tensor;
  readonly dkernel1: Tensor;
  readonly dkernel2: Tensor;
  readonly dgamma1: Tensor;
  readonly dbeta1: Tensor;
  readonly dgamma2: Tensor;
  readonly dbeta2: Tensor;
}

/** What the forward pass leaves, and the gradient of its output. */
export interface DenseBlockTensors {
  readonly x: Tensor;
  readonly y: Tensor;
  /** `[N, H, W, layers·bottleneck]`. */
  readonly u: Tensor;
  readonly dy: Tensor;
  /** Of the block's channels. */
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** The planes of the first and second batch norms of all layers; see norm-planes.ts. */
  readonly planes1: Tensor;
  readonly planes2: Tensor;
  readonly kernel1: Tensor;
  readonly kernel2: Tensor;
}

export function denseBlockGradient(
  tensors: DenseBlockTensors,
  s: DenseBlockShape,
  epsilon: number,
): DenseBlockGradient {
  const { x, y, u, dy, mean, variance, planes1, planes2, kernel1, kernel2 } = tensors;
  const vector = (length: number): TensorType => ({ shape: [length], dtype: "f32" });
  const { middle: m, outChannels: width, bottleneck } = s;
  // Sums over many layers, so in full precision, whatever the activations are stored in.
  const sum: TensorType = { shape: y.shape, dtype: "f32" };
  const node = x.graph.apply(
    {
      name: "dense_block_gradient",
      family: "convolution",
      outputs: [x, kernel1, kernel2, vector(s.normed), vector(s.normed), vector(m), vector(m), sum, u],
      lower(l, [dx, dkernel1, dkernel2, dgamma1, dbeta1, dgamma2, dbeta2, total, dz]) {
        const ranges = l.slices([x, y, u, total]);
        const half = x.dtype === "f16";
        const rows = s.batch * s.height * s.width;
        const rowsOf = ({ count }: BatchRange): number => count * s.height * s.width;
        const joint = l.scratch(4 * jointLength(width));
        const coefficients = l.scratch(4 * planesLength(GRADIENT_PLANES, m));
        const whole = allChannels(width);

        for (const range of ranges) {
          const kernel = beginSharedNormGradient(l.target, rowsOf(range), width, epsilon);
          l.dispatch(kernel, { dy: slice(dy, range), mean, variance, total: slice(total, range), joint });
        }
        for (let layer = s.layers - 1; layer >= 0; layer--) {
          const between = middleRange(s, layer);
          const own = ownRange(s, layer);
          const throughThree = lowerTiles(l, ranges, { partials: 2 * bottleneck }, (range, firstPartial) => ({
            product: conv2dBackwardDataFused(l.target, secondConv(s, range.count), {
              load: ownGradient(s, own),
              store: reluGradientStore("dx", between, {
                x: between,
                planes: { size: m, begin: between.begin },
                accumulate: false,
                firstPartial,
              }),
              weightsBegin: 9 * layer * bottleneck * s.growth,
              half,
            }),
            operands: {
              dy: slice(total, range),
              y: slice(y, range),
              coefficients: joint,
              w: kernel2,
              x: slice(u, range),
              norm: planes2,
              dx: slice(dz, range),
            },
          }));
          const place2 = { channels: bottleneck, parametersBegin: between.begin, normBegin: between.begin };
          l.dispatch(
            mergeNormGradient(l.target, {
              ...place2,
              normSize: m,
              rows,
              partialCount: throughThree.partialCount,
            }),
            { ...throughThree.partials, norm: planes2, coefficients, dgamma: dgamma2, dbeta: dbeta2 },
          );
          const begin = channelsBefore(s, layer);
          const throughOne = lowerTiles(l, ranges, { partials: 2 * own.begin }, (range, firstPartial) => ({
            product: conv2dBackwardDataFused(l.target, firstConv(s, layer, range.count), {
              load: middleGradient(m, between, between.begin),
              store: reluGradientStore("dx", whole, {
                x: whole,
                planes: { size: s.normed, begin },
                accumulate: true,
                firstPartial,
              }),
              weightsBegin: begin * bottleneck,
              half,
            }),
            operands: {
              dy: slice(dz, range),
              y: slice(u, range),
              coefficients,
              w: kernel1,
              x: slice(y, range),
              norm: planes1,
              dx: slice(total, range),
            },
          }));
          const place1 = { channels: own.begin, parametersBegin: begin, normBegin: begin, jointSize: width };
          l.dispatch(
            mergeSharedNormGradient(l.target, {
              ...place1,
              normSize: s.normed,
              rows,
              partialCount: throughOne.partialCount,
            }),
            { ...throughOne.partials, norm: planes1, joint, dgamma: dgamma1, dbeta: dbeta1 },
          );
        }
        for (const range of l.uses(dx) ? ranges : []) {
          const kernel = sharedNormInputGradient(l.target, rowsOf(range), s.channels, whole, width);
          l.dispatch(kernel, {
            gradient: slice(total, range),
            x: slice(y, range),
            joint,
            dx: slice(dx, range),
          });
        }
        const [first, second] = weightsFusions(s);
        weights(
          l,
          ranges,
          (count) => secondConv(s, count),
          { ...second, half },
          dkernel2,
          (range) => ({
            x: slice(u, range),
            norm: planes2,
            dy: slice(total, range),
            y: slice(y, range),
            coefficients: joint,
          }),
        );
        weights(
          l,
          ranges,
          (count) => firstConv(s, 0, count),
          { ...first, half },
          dkernel1,
          (range) => ({
            x: slice(y, range),
            norm: planes1,
            dy: slice(dz, range),
            y: slice(u, range),
            coefficients,
          }),
        );
      },
    },
    [dy, y, u, mean, variance, planes1, planes2, kernel1, kernel2],
  );
  const [dx, dkernel1, dkernel2, dgamma1, dbeta1, dgamma2, dbeta2] = node.outputs;
  return { dx, dkernel1, dkernel2, dgamma1, dbeta1, dgamma2, dbeta2 };
}

/** Loads dy of the channels `own` from G and y. */
const ownGradient = (s: DenseBlockShape, own: ChannelRange) =>
  normGradientLoad(
    4,
    { name: "dy", range: own },
    { name: "y", range: own },
    { size: s.outChannels, begin: own.begin },
  );

/** Loads du from dz2 and u. */
const middleGradient = (size: number, range: ChannelRange, begin: number) =>
  normGradientLoad(4, { name: "dy", range }, { name: "y", range }, { size, begin });

/** How the products by weights of all layers load their operands: of the 1×1 kernels, and of the 3×3 kernels. */
function weightsFusions(s: DenseBlockShape): [first: WeightsFusion, second: WeightsFusion] {
  const { layers: count, growth, bottleneck, middle } = s;
  const between = { width: middle, begin: 0 };
  const own = { width: s.outChannels, begin: s.channels };
  return [
    {
      left: (width, begins) =>
        activationLoad("x", width, allChannels(s.outChannels), { size: s.normed, begin: 0 }, begins),
      right: (width, begins) =>
        normGradientLoad(
          width,
          { name: "dy", range: between },
          { name: "y", range: between },
          { size: middle, begin: 0 },
          begins,
        ),
      layers: {
        count,
        growth,
        steps: { norm: "channels of x", dy: bottleneck, y: bottleneck, coefficients: bottleneck },
      },
    },
    {
      left: (width, begins) => activationLoad("x", width, between, { size: middle, begin: 0 }, begins),
      right: (width, begins) =>
        normGradientLoad(
          width,
          { name: "dy", range: own },
          { name: "y", range: own },
          { size: s.outChannels, begin: s.channels },
          begins,
        ),
      layers: {
        count,
        growth: 0,
        steps: { norm: "channels of x", x: bottleneck, dy: growth, y: growth, coefficients: growth },
      },
    },
  ];
}

/** Runs the products by weights of all layers to `dw`, range by range. */
function weights(
  l: Lowering,
  ranges: readonly BatchRange[],
  geometry: (count: number) => Conv2dGeometry,
  fusion: WeightsFusion,
  dw: Tensor,
  operands: (range: BatchRange) => Record<string, Operand>,
): void {
  ranges.forEach((range, i) => {
    const { partial, splits, count } = conv2dBackwardWeights(l.target, geometry(range.count), fusion);
    const whole = i === 0 && splits === 1;
    const partials = whole ? dw : l.scratch(4 * splits * count);
    l.dispatch(partial, { ...operands(range), dw: partials });
    if (!whole) l.dispatch(sumPartials(l.target, count, splits, { accumulate: i > 0 }), { partials, dw });
  });
}
