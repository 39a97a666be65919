/**
 * @file The three matrix products behind convolutions, as nodes: forward, by data and by weights. `conv2d` and
 * `conv2d_transpose` are made of them, each the other's gradient.
 */
import { conv2dBackwardDataFused } from "../../kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../kernels/conv2d/backward-weights.ts";
import { conv2dForwardFused } from "../../kernels/conv2d/forward.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { joinedEpilogue } from "../../kernels/conv2d/epilogue.ts";
import type { TapFusion } from "../../kernels/conv2d/tap-product.ts";
import type { WeightsFusion } from "../../kernels/conv2d/weights-product.ts";
import { laneFor } from "../../kernels/text/lane.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Op, Operand } from "../op.ts";
import type { DType, Shape, TensorType } from "../shape.ts";
import { applyTaps, listed, loadOf, slices } from "./taps.ts";
import type { GatheringNaming, Images, Naming, Taps, TapsFusion } from "./taps.ts";

/** `y` `[N, Ho, Wo, Cout]` = conv(`x` `[N, H, W, Cin]`, `kernel` HWIO). */
export function applyForward<D extends DType>(
  x: Tensor<D>,
  kernel: Tensor,
  g: Conv2dGeometry,
  naming: GatheringNaming,
): Tensor<D> {
  return applyTaps(x, kernel, naming, forwardTaps(g))[0];
}

/** {@link applyForward} whose result comes in two tensors, of the first `channels` of the channels and of the others. */
export function applyForwardSplit(
  x: Tensor,
  kernel: Tensor,
  g: Conv2dGeometry,
  channels: number,
  naming: GatheringNaming,
): readonly Tensor[] {
  return applyTaps(x, kernel, naming, {
    ...forwardTaps(g),
    channels: [channels, g.outChannels - channels],
    join: joinedEpilogue,
  });
}

/** `dx` `[N, H, W, Cin]` from `dy` `[N, Ho, Wo, Cout]` and `kernel` HWIO: the adjoint of {@link applyForward} in x. */
export function applyBackwardData<D extends DType>(
  dy: Images<D>,
  kernel: Tensor,
  g: Conv2dGeometry,
  naming: GatheringNaming,
): Tensor<D> {
  return applyTaps(dy, kernel, naming, {
    extents: [g.batch, g.inHeight, g.inWidth],
    channels: [g.inChannels],
    evenPhases: g.inHeight % g.strideY === 0 && g.inWidth % g.strideX === 0,
    product: (l, batch, fusion) =>
      conv2dBackwardDataFused(l.target, { ...g, batch }, fused(fusion, "dx", g.inChannels, g.outChannels)),
    anyMoments: true,
    names: { source: "dy", result: "dx" },
  })[0];
}

/** The gradient of a product by its kernel. */
export interface WeightsPattern {
  readonly kind: "weights";
  readonly x: Tensor;
  /** One tensor, or two taken for one. */
  readonly gradients: readonly Tensor[];
  /** Of a matrix product, several of which may run as one; null for any other. */
  readonly geometry: Conv2dGeometry | null;
  readonly lower: WeightsLowering;
}

/** Runs a product by weights to `dw`, range by range of the batch; `operands` of a range but `dw`. */
export type WeightsLowering = (
  l: Lowering,
  ranges: readonly BatchRange[],
  fusion: WeightsFusion,
  dw: Operand,
  operands: (range: BatchRange) => Record<string, Operand>,
) => void;

const forwardTaps = (g: Conv2dGeometry): Taps => ({
  extents: [g.batch, g.outHeight, g.outWidth],
  channels: [g.outChannels],
  evenPhases: true,
  product: (l, batch, fusion) =>
    conv2dForwardFused(l.target, { ...g, batch }, fused(fusion, "y", g.outChannels, g.inChannels)),
  anyMoments: true,
  names: { source: "x", result: "y" },
});

/** {@link TapsFusion} as a matrix product of `depth` channels to the result `name` takes it. */
const fused = (
  { load, epilogue, channels, ...others }: TapsFusion,
  name: string,
  all: number,
  depth: number,
): TapFusion => ({
  ...others,
  ...(channels !== undefined && { channels }),
  ...(load && { load: load(laneFor(depth).width) }),
  ...(epilogue && { store: epilogue.store(name, channels ?? all) }),
});

/** `dw` HWIO from `x` and `dy`: the adjoint of {@link applyForward} in the kernel, summed over the whole batch. */
export function applyBackwardWeights(
  x: Tensor,
  dy: Images,
  g: Conv2dGeometry,
  naming: Naming,
): Tensor<"f32"> {
  const shape = [g.kernelHeight, g.kernelWidth, g.inChannels, g.outChannels];
  const lower: WeightsLowering = (l, ...how) => lowerWeights(l, g, ...how);
  return applyWeights(x, dy, shape, naming, { geometry: g, lower });
}

/** A gradient by a kernel of the shape `shape`, from `x` and `dy`. */
export function applyWeights(
  x: Tensor,
  dy: Images,
  shape: Shape,
  naming: Naming,
  { geometry, lower }: Pick<WeightsPattern, "geometry" | "lower">,
): Tensor<"f32"> {
  const gradients = listed(dy);
  const op: Op<readonly [TensorType<"f32">]> = {
    ...naming,
    family: "convolution",
    outputs: [{ shape, dtype: "f32" }],
    pattern: { kind: "weights", x, gradients, geometry, lower },
    lower(l, [dw]) {
      const fusion = { right: loadOf(l, "dy", gradients), half: x.dtype === "f16" };
      lower(l, l.slices([x, ...gradients]), fusion, dw, (range) => ({
        x: batchSlice(x, range),
        ...slices("dy", gradients, range),
      }));
    },
  };
  return x.graph.apply(op, [x, ...gradients]).outputs[0];
}

/** Splits of so few bytes are summed up with those of others. */
const FEW_BYTES = 2 ** 18;

/** Runs a product by weights to `dw`, range by range of the batch; `operands` of a range but `dw`. */
export function lowerWeights(
  l: Lowering,
  geometry: Conv2dGeometry,
  ranges: readonly BatchRange[],
  fusion: WeightsFusion,
  dw: Operand,
  operands: (range: BatchRange) => Record<string, Operand>,
): void {
  ranges.forEach((range, i) => {
    const product = conv2dBackwardWeights(l.target, { ...geometry, batch: range.count }, fusion);
    const { partial, splits, count } = product;
    const whole = i === 0 && splits === 1;
    const partials = whole ? dw : l.scratch(4 * splits * count);
    l.dispatch(partial, { ...operands(range), dw: partials });
    const isSmall = ranges.length === 1 && 4 * splits * count <= FEW_BYTES;
    if (!whole && isSmall) l.sum([{ partials, partialCount: splits, count, result: dw }]);
    else if (!whole)
      l.dispatch(sumPartials(l.target, count, splits, { accumulate: i > 0 }), { partials, dw });
  });
}
