import { repeatEdgesBackward, repeatEdgesForward } from "../../kernels/repeat-edges.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * The outermost pixels once more around each image (PyTorch's `replicate` padding of 1): `x` `[N, H, W, C]` to
 * `[N, H + 2, W + 2, C]`.
 *
 * @throws Error when `x` is not NHWC.
 */
export function repeatEdges<D extends DType>(x: Tensor<D>): Tensor<D> {
  if (x.shape.length !== 4) {
    throw new Error(
      `repeatEdges takes images [N, H, W, C]; "${x.name}" has the shape ${shapeText(x.shape)}.`,
    );
  }
  const [batch, height, width, channels] = x.shape;
  return x.graph.apply(
    {
      name: "repeat_edges",
      family: "copy",
      outputs: [{ shape: [batch, height + 2, width + 2, channels], dtype: x.dtype }],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const images = { batch: range.count, height, width, channels };
          l.dispatch(repeatEdgesForward(l.target, images), {
            x: batchSlice(x, range),
            y: batchSlice(y, range),
          });
        }
      },
      gradient: ([dy]) => [() => repeatEdgesGradient(x, dy!)],
    },
    [x],
  ).outputs[0];
}

function repeatEdgesGradient(x: Tensor, dy: Tensor): Tensor {
  const [, height, width, channels] = x.shape;
  return dy.graph.apply(
    {
      name: "repeat_edges_gradient",
      family: "copy",
      outputs: [x],
      lower(l, [dx]) {
        for (const range of l.slices([dy, dx])) {
          const images = { batch: range.count, height, width, channels };
          l.dispatch(repeatEdgesBackward(l.target, images), {
            dy: batchSlice(dy, range),
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [dy],
  ).outputs[0];
}
