/**
 * @file The three matrix products behind convolutions, as nodes: forward, by data and by weights. `conv2d` and
 * `conv2d_transpose` are made of them, each the other's gradient.
 */
import { allChannels } from "../../kernels/channel-range.ts";
import { conv2dBackwardDataFused } from "../../kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../kernels/conv2d/backward-weights.ts";
import { conv2dForwardFused } from "../../kernels/conv2d/forward.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { momentsStore } from "../../kernels/conv2d/store.ts";
import type { TapFusion, TapKernel } from "../../kernels/conv2d/tap-product.ts";
import type { Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import type { BatchRange, Lowering, Op } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { lowerTilesToMoments } from "./tiles.ts";

interface Naming extends Pick<Op, "name" | "gradient"> {
  /** Whether a batch norm may ask for the moments of the result. */
  readonly moments?: boolean;
}

/** `y` `[N, Ho, Wo, Cout]` = conv(`x` `[N, H, W, Cin]`, `kernel` HWIO). */
export function applyForward(x: Tensor, kernel: Tensor, g: Conv2dGeometry, naming: Naming): Tensor {
  return applyTaps(x, kernel, naming, {
    shape: [g.batch, g.outHeight, g.outWidth, g.outChannels],
    evenPhases: true,
    product: (l, batch, fusion) => conv2dForwardFused(l.target, { ...g, batch }, fusion),
    names: { source: "x", result: "y" },
  });
}

/** `dx` `[N, H, W, Cin]` from `dy` `[N, Ho, Wo, Cout]` and `kernel` HWIO: the adjoint of {@link applyForward} in x. */
export function applyBackwardData(dy: Tensor, kernel: Tensor, g: Conv2dGeometry, naming: Naming): Tensor {
  return applyTaps(dy, kernel, naming, {
    shape: [g.batch, g.inHeight, g.inWidth, g.inChannels],
    evenPhases: g.inHeight % g.strideY === 0 && g.inWidth % g.strideX === 0,
    product: (l, batch, fusion) => conv2dBackwardDataFused(l.target, { ...g, batch }, fusion),
    names: { source: "dy", result: "dx" },
  });
}

interface Taps {
  readonly shape: Shape;
  /** Whether all phases of the result have as many pixels. */
  readonly evenPhases: boolean;
  readonly product: (l: Lowering, batch: number, fusion: TapFusion) => TapKernel;
  /** Of the kernel's bindings. */
  readonly names: { readonly source: string; readonly result: string };
}

function applyTaps(source: Tensor, kernel: Tensor, naming: Naming, taps: Taps): Tensor {
  const { shape, evenPhases, product, names } = taps;
  const channels = shape[3];
  const moments = naming.moments === true && evenPhases && channels % 4 === 0;
  const vector = { shape: [channels], dtype: "f32" } as const;
  const op: Op = {
    name: naming.name,
    gradient: naming.gradient,
    outputs: [{ shape, dtype: "f32" }, ...(moments ? [vector, vector] : [])],
    ...(moments && { moments: { mean: 1, variance: 2 } }),
    lower(l, [result, mean, variance]) {
      const ranges = l.slices([source, result]);
      const operands = (range: BatchRange) => ({
        [names.source]: slice(source, range),
        w: kernel,
        [names.result]: slice(result, range),
      });
      if (moments && (l.uses(mean) || l.uses(variance))) {
        lowerTilesToMoments(l, ranges, channels, { mean, variance }, (range, firstSlot) => {
          const store = momentsStore(names.result, channels, allChannels(channels), firstSlot);
          return { product: product(l, range.count, { store }), operands: operands(range) };
        });
        return;
      }
      for (const range of ranges) l.dispatch(product(l, range.count, {}).kernel, operands(range));
    },
  };
  return source.graph.apply(op, [source, kernel]).outputs[0];
}

/** `dw` HWIO from `x` and `dy`: the adjoint of {@link applyForward} in the kernel, summed over the whole batch. */
export function applyBackwardWeights(
  x: Tensor,
  dy: Tensor,
  g: Conv2dGeometry,
  naming: Pick<Op, "name" | "gradient">,
): Tensor {
  const shape = [g.kernelHeight, g.kernelWidth, g.inChannels, g.outChannels];
  const op: Op = {
    ...naming,
    outputs: [{ shape, dtype: "f32" }],
    lower(l, [dw]) {
      const count = sizeOf(shape);
      l.slices([x, dy]).forEach((range, i) => {
        const { partial, splits } = conv2dBackwardWeights(l.target, { ...g, batch: range.count });
        const whole = i === 0 && splits === 1;
        const partials = whole ? dw : l.scratch(4 * splits * count);
        l.dispatch(partial, { x: slice(x, range), dy: slice(dy, range), dw: partials });
        if (!whole) l.dispatch(sumPartials(l.target, count, splits, { accumulate: i > 0 }), { partials, dw });
      });
    },
  };
  return x.graph.apply(op, [x, dy]).outputs[0];
}
