import { argmaxForward } from "../../kernels/argmax.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { lastAxis } from "../lowering/last-axis.ts";

/**
 * Index of the largest value along the last axis, of equal ones the lowest (`tf.argmax`): `x` `[N, .., classes]` to
 * `[N, ..]`, u32. It has no gradient.
 *
 * @throws Error when `x` has fewer than two axes.
 */
export function argmax(x: Tensor): Tensor<"u32"> {
  const { extent, rowsPerItem } = lastAxis("argmax", x);
  return x.graph.apply(
    {
      name: "argmax",
      family: "loss",
      outputs: [{ shape: x.shape.slice(0, -1), dtype: "u32" }],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = argmaxForward(l.target, range.count * rowsPerItem, extent);
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
    },
    [x],
  ).outputs[0];
}
