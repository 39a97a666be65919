import { allChannels } from "../../../kernels/text/channel-range.ts";
import { conv2dForwardFused } from "../../../kernels/conv2d/forward.ts";
import { plainStore } from "../../../kernels/conv2d/store.ts";
import { foldNorm } from "../../../kernels/fold-norm.ts";
import type { Tensor } from "../../graph.ts";
import { slice } from "../../op.ts";
import { bytesOfItems, sizeOf } from "../../shape.ts";
import type { DenseBlockParameters } from "./parameters.ts";
import { copyInput, firstFusion, normTypes, ownRange, secondFusion } from "./places.ts";
import { firstConv, secondConv } from "./shape.ts";
import type { DenseBlockShape } from "./shape.ts";

/** The block with the moving statistics: what lies between the convolutions is forgotten at once, nothing has a gradient. */
export function withMovingStatistics(
  x: Tensor,
  s: DenseBlockShape,
  { norm1, norm2, kernel1, kernel2 }: DenseBlockParameters,
  epsilon: number,
): Tensor {
  return x.graph.apply(
    {
      name: "dense_block",
      family: "convolution",
      outputs: [{ shape: [s.batch, s.height, s.width, s.outChannels], dtype: x.dtype }],
      lower(l, [y]) {
        const between = { ...x, name: "a bottleneck", shape: [s.batch, s.height, s.width, s.bottleneck] };
        const ranges = l.slices([x, y, between]);
        const half = x.dtype === "f16";
        copyInput(l, s, x, y, ranges);
        const [planes1, planes2] = normTypes(s).map((type) => l.scratch(4 * sizeOf(type.shape)));
        for (const [norm, { gamma, beta, movingMean, movingVariance }, channels] of [
          [planes1, norm1, s.normed],
          [planes2, norm2, s.middle],
        ] as const) {
          const place = {
            channels,
            statisticsBegin: 0,
            parametersBegin: 0,
            normBegin: 0,
            normSize: channels,
            epsilon,
          };
          const operands = { mean: movingMean, variance: movingVariance, gamma, beta, norm };
          l.dispatch(foldNorm(l.target, place), operands);
        }
        for (const range of ranges) {
          const images = slice(y, range);
          const u = l.scratch(bytesOfItems(between, range.count), x.dtype);
          for (let layer = 0; layer < s.layers; layer++) {
            const bottleneck = allChannels(s.bottleneck);
            const to = plainStore("y", s.bottleneck, bottleneck);
            const one = conv2dForwardFused(l.target, firstConv(s, layer, range.count), {
              ...firstFusion(s, layer),
              store: to,
              half,
            });
            l.dispatch(one.kernel, { x: images, norm: planes1, w: kernel1, y: u });
            const three = conv2dForwardFused(l.target, secondConv(s, range.count), {
              ...secondFusion(s, layer, bottleneck),
              store: plainStore("y", s.growth, ownRange(s, layer)),
              half,
            });
            l.dispatch(three.kernel, { x: u, norm: planes2, w: kernel2, y: images });
          }
        }
      },
    },
    [x, kernel1, kernel2, ...(Object.values(norm1) as Tensor[]), ...(Object.values(norm2) as Tensor[])],
  ).outputs[0];
}
