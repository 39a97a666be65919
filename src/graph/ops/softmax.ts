import { softmaxBackward, softmaxForward } from "../../kernels/softmax.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { lastAxis } from "../lowering/last-axis.ts";
import type { DType } from "../shape.ts";

/**
 * Softmax over the last axis of `x` `[N, .., classes]` (`tf.nn.softmax`).
 *
 * @throws Error when `x` has fewer than two axes.
 */
export function softmax<D extends DType>(x: Tensor<D>): Tensor<D> {
  const { extent, rowsPerItem } = lastAxis("softmax", x);
  return x.graph.apply(
    {
      name: "softmax",
      family: "loss",
      outputs: [x],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = softmaxForward(l.target, range.count * rowsPerItem, extent);
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
      gradient: ([dy], [y]) => [() => softmaxGradient(y, dy!)],
    },
    [x],
  ).outputs[0];
}

function softmaxGradient(y: Tensor, dy: Tensor): Tensor {
  const { extent, rowsPerItem } = lastAxis("softmax", y);
  return y.graph.apply(
    {
      name: "softmax_gradient",
      family: "loss",
      outputs: [y],
      lower(l, [dx]) {
        for (const range of l.slices([y, dy, dx])) {
          const kernel = softmaxBackward(l.target, range.count * rowsPerItem, extent);
          l.dispatch(kernel, {
            y: batchSlice(y, range),
            dy: batchSlice(dy, range),
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [y, dy],
  ).outputs[0];
}
