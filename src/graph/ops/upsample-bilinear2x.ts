import { upsampleBilinear2xBackward, upsampleBilinear2xForward } from "../../kernels/upsample-bilinear2x.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * Twice the size, bilinear with half-pixel centres, beyond the edges what lies at them (Keras `UpSampling2D(2,
 * interpolation="bilinear")`, PyTorch's `align_corners=False`): `x` `[N, H, W, C]` to `[N, 2H, 2W, C]`.
 *
 * @throws Error when `x` is not NHWC.
 */
export function upsampleBilinear2x<D extends DType>(x: Tensor<D>): Tensor<D> {
  if (x.shape.length !== 4) {
    throw new Error(
      `upsampleBilinear2x takes images [N, H, W, C]; "${x.name}" has the shape ${shapeText(x.shape)}.`,
    );
  }
  const [batch, height, width, channels] = x.shape;
  return x.graph.apply(
    {
      name: "upsample_bilinear2x",
      family: "pooling",
      outputs: [{ shape: [batch, 2 * height, 2 * width, channels], dtype: x.dtype }],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const rows = range.count * height * width;
          const kernel = upsampleBilinear2xForward(l.target, { rows, height, width, channels });
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
      gradient: ([dy]) => [() => upsampleBilinear2xGradient(x, dy!)],
    },
    [x],
  ).outputs[0];
}

function upsampleBilinear2xGradient(x: Tensor, dy: Tensor): Tensor {
  const [, height, width, channels] = x.shape;
  return dy.graph.apply(
    {
      name: "upsample_bilinear2x_gradient",
      family: "pooling",
      outputs: [x],
      lower(l, [dx]) {
        for (const range of l.slices([dy, dx])) {
          const rows = range.count * height * width;
          const kernel = upsampleBilinear2xBackward(l.target, { rows, height, width, channels });
          l.dispatch(kernel, { dy: batchSlice(dy, range), dx: batchSlice(dx, range) });
        }
      },
    },
    [dy],
  ).outputs[0];
}
