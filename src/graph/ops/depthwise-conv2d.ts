import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { depthwiseBackwardData } from "../../kernels/depthwise/backward-data.ts";
import { depthwiseBackwardWeights, depthwisePartials } from "../../kernels/depthwise/backward-weights.ts";
import { depthwiseForward } from "../../kernels/depthwise/forward.ts";
import type { Tensor } from "../graph.ts";
import { lowerTilesToMoments } from "../lowering/tiles.ts";
import { slice } from "../op.ts";
import { shapeText, sizeOf } from "../shape.ts";
import { mergeSums } from "./channel-reduction.ts";
import type { Conv2dOptions } from "./conv2d.ts";

/**
 * Depthwise 2-D convolution (`tf.nn.depthwise_conv2d`): each channel of `x` `[N, H, W, C]` with a kernel of its own, `kernel`
 * `[kh, kw, C, 1]`, to `[N, Ho, Wo, C]`; without bias. Keras's `depth_multiplier` is 1.
 *
 * @throws Error when ranks or channels do not fit, or the kernel is larger than the padded image.
 */
export function depthwiseConv2d(x: Tensor, kernel: Tensor, { strides, padding }: Conv2dOptions): Tensor {
  if (kernel.shape.length === 4 && kernel.shape[3] !== 1) {
    throw new Error(
      `depthwiseConv2d: the kernel "${kernel.name}" must be [height, width, channels, 1] and is ` +
        `${shapeText(kernel.shape)}: a depth multiplier other than 1 is not supported.`,
    );
  }
  const channels = x.shape[3];
  const g = { ...conv2dGeometry(x.shape, kernel.shape, { strides, padding }), outChannels: channels };
  // Their merge takes channels in fours.
  const moments = channels % 4 === 0;
  return x.graph.apply(
    {
      name: "depthwise_conv2d",
      family: "convolution",
      outputs: [
        { shape: [g.batch, g.outHeight, g.outWidth, channels], dtype: x.dtype },
        ...(moments ? [0, 1].map(() => ({ shape: [channels], dtype: "f32" as const })) : []),
      ],
      ...(moments && { moments: { mean: 1, variance: 2 } }),
      lower(l, [y, mean, variance]) {
        const ranges = l.slices([x, y]);
        if (moments && (l.uses(mean) || l.uses(variance))) {
          lowerTilesToMoments(l, ranges, channels, { mean, variance }, (range, firstPartial) => ({
            product: depthwiseForward(l.target, { ...g, batch: range.count }, { moments: { firstPartial } }),
            operands: { x: slice(x, range), w: kernel, y: slice(y, range) },
          }));
          return;
        }
        for (const range of ranges) {
          const { kernel: forward } = depthwiseForward(l.target, { ...g, batch: range.count });
          l.dispatch(forward, { x: slice(x, range), w: kernel, y: slice(y, range) });
        }
      },
      gradient: ([dy]) => [() => dataGradient(x, kernel, dy!, g), () => weightsGradient(x, kernel, dy!, g)],
    },
    [x, kernel],
  ).outputs[0];
}

function dataGradient(x: Tensor, kernel: Tensor, dy: Tensor, g: Conv2dGeometry): Tensor {
  return x.graph.apply(
    {
      name: "depthwise_conv2d_gradient_input",
      family: "convolution",
      outputs: [x],
      lower(l, [dx]) {
        for (const range of l.slices([dy, dx])) {
          const { kernel: backward } = depthwiseBackwardData(l.target, { ...g, batch: range.count });
          l.dispatch(backward, {
            dy: slice(dy, range),
            w: kernel,
            dx: slice(dx, range),
          });
        }
      },
    },
    [dy, kernel],
  ).outputs[0];
}

function weightsGradient(x: Tensor, kernel: Tensor, dy: Tensor, g: Conv2dGeometry): Tensor {
  return x.graph.apply(
    {
      name: "depthwise_conv2d_gradient_kernel",
      family: "convolution",
      outputs: [kernel],
      lower(l, [dw]) {
        const count = sizeOf(kernel.shape);
        const ranges = l.slices([x, dy]);
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
        for (const { range, geometry, ...place } of parts) {
          const operands = { x: slice(x, range), dy: slice(dy, range), dw: partials };
          l.dispatch(depthwiseBackwardWeights(l.target, geometry, place), operands);
        }
        if ("scratch" in partials) mergeSums(l, total, count, [partials], [dw]);
      },
    },
    [x, dy],
  ).outputs[0];
}
