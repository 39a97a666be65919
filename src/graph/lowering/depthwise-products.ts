/** @file The three products behind depthwise convolutions, as nodes: forward, by data and by weights. */
import { plainEpilogue } from "../../kernels/conv2d/epilogue.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { depthwiseBackwardData } from "../../kernels/depthwise/backward-data.ts";
import { depthwiseBackwardWeights, depthwisePartials } from "../../kernels/depthwise/backward-weights.ts";
import { depthwiseForward } from "../../kernels/depthwise/forward.ts";
import type { Tensor } from "../graph.ts";
import type { DType } from "../shape.ts";
import { applyWeights } from "./conv2d-products.ts";
import { applyTaps } from "./taps.ts";
import type { WeightsLowering } from "./conv2d-products.ts";
import type { GatheringNaming, Naming, Taps, TapsFusion } from "./taps.ts";

/** `y` `[N, Ho, Wo, C]` of `x` `[N, H, W, C]` and `kernel` `[kh, kw, C, 1]`. */
export function applyDepthwise<D extends DType>(
  x: Tensor<D>,
  kernel: Tensor,
  g: Conv2dGeometry,
  naming: GatheringNaming,
): Tensor<D> {
  const taps: Taps = {
    extents: [g.batch, g.outHeight, g.outWidth],
    channels: [g.inChannels],
    evenPhases: true,
    product(l, batch, { load, epilogue }) {
      const moments = epilogue?.moments;
      // A walk finds moments itself, as it does not hold its results.
      const stored = moments ? plainEpilogue(moments) : epilogue;
      return depthwiseForward(
        l.target,
        { ...g, batch },
        {
          ...(load && { load }),
          ...(stored && { store: stored.store("y", g.inChannels) }),
          ...(moments && { moments: { firstPartial: moments.firstPartial } }),
        },
      );
    },
    anyMoments: false,
    names: { source: "x", result: "y" },
  };
  return applyTaps(x, kernel, naming, taps)[0];
}

/** `dx` `[N, H, W, C]` of `dy` `[N, Ho, Wo, C]`: the adjoint of {@link applyDepthwise} in x. */
export function applyDepthwiseData(dy: Tensor, kernel: Tensor, g: Conv2dGeometry, naming: Naming): Tensor {
  const taps: Taps = {
    extents: [g.batch, g.inHeight, g.inWidth],
    channels: [g.inChannels],
    // A walk goes over all phases, and leaves sums wherever it goes.
    evenPhases: true,
    product: (l, batch, { load, epilogue }: TapsFusion) =>
      depthwiseBackwardData(
        l.target,
        { ...g, batch },
        { ...(load && { load }), ...(epilogue && { store: epilogue.store("dx", g.inChannels) }) },
      ),
    anyMoments: false,
    names: { source: "dy", result: "dx" },
  };
  return applyTaps(dy, kernel, naming, taps)[0];
}

/** `dw` `[kh, kw, C, 1]` of `x` and `dy`: the adjoint of {@link applyDepthwise} in the kernel, summed over the whole batch. */
export function applyDepthwiseWeights(x: Tensor, dy: Tensor, g: Conv2dGeometry, naming: Naming): Tensor {
  const shape = [g.kernelHeight, g.kernelWidth, g.inChannels, 1];
  return applyWeights(x, dy, shape, naming, { geometry: null, lower: weightsLowering(g) });
}

const weightsLowering =
  (g: Conv2dGeometry): WeightsLowering =>
  (l, ranges, { left, right }, dw, operands) => {
    const count = g.kernelHeight * g.kernelWidth * g.inChannels;
    // The partials are bound as a whole, so they must fit a binding too.
    const most = Math.floor(l.target.maxBindingBytes / (4 * count * ranges.length));
    let total = 0;
    const parts = ranges.map((range) => {
      const geometry = { ...g, batch: range.count };
      const partialCount = depthwisePartials(l.target, geometry, most);
      const firstPartial = total;
      total += partialCount;
      return { range, geometry, partialCount, firstPartial };
    });
    const partials = total === 1 ? dw : l.scratch(4 * total * count);
    for (const { range, geometry, partialCount, firstPartial } of parts) {
      const kernel = depthwiseBackwardWeights(l.target, geometry, {
        ...{ partialCount, firstPartial },
        ...(left && { left }),
        ...(right && { right }),
      });
      l.dispatch(kernel, { ...operands(range), dw: partials });
    }
    if (total > 1 && "scratch" in partials) l.sum([{ partials, partialCount: total, count, result: dw }]);
  };
