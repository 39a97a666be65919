import { multiplyPixels } from "../../kernels/image-sums.ts";
import type { Tensor } from "../graph.ts";
import { imageExtents, lowerImageSums } from "../lowering/image-sums.ts";
import { batchSlice } from "../op.ts";
import { sameShape, shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * Each channel of each image times a number of its own, as squeeze-and-excite does it (Keras `Multiply` with broadcasting): `x`
 * `[N, H, W, C]`, `factor` `[N, 1, 1, C]` or `[N, C]`. Both have a gradient; the factor's is a sum over the pixels.
 *
 * @throws Error when ranks or extents do not fit.
 */
export function multiplyChannels<D extends DType>(x: Tensor<D>, factor: Tensor): Tensor<D> {
  const [batch, , , channels] = x.shape;
  const fits = [
    [batch, 1, 1, channels],
    [batch, channels],
  ].some((shape) => sameShape(factor.shape, shape));
  if (x.shape.length !== 4 || !fits) {
    throw new Error(
      `multiplyChannels: "${x.name}" ${shapeText(x.shape)} and the factor "${factor.name}" ${shapeText(factor.shape)} do ` +
        `not fit: it takes images [N, H, W, C] and a factor [N, 1, 1, C] or [N, C].`,
    );
  }
  return x.graph.apply(
    {
      name: "multiply_channels",
      family: "elementwise",
      outputs: [x],
      pattern: { kind: "scaled", x, factor },
      lower(l, [y]) {
        for (const range of l.slices([x, factor, y])) {
          const kernel = multiplyPixels(l.target, { batch: range.count, ...imageExtents(x) });
          l.dispatch(kernel, {
            x: batchSlice(x, range),
            factor: batchSlice(factor, range),
            y: batchSlice(y, range),
          });
        }
      },
      gradient: ([dy]) => [() => multiplyChannels(dy!, factor), () => factorGradient(x, factor, dy!)],
    },
    [x, factor],
  ).outputs[0];
}

/** Σ x·dy over the pixels of each image. */
function factorGradient(x: Tensor, factor: Tensor, dy: Tensor): Tensor {
  return x.graph.apply(
    {
      name: "multiply_channels_factor_gradient",
      family: "elementwise",
      outputs: [factor],
      pattern: { kind: "pixelSums", x, factor: dy },
      lower: (l, [dfactor]) => lowerImageSums(l, { x, factor: dy, y: dfactor }, 1),
    },
    [x, dy],
  ).outputs[0];
}
