import { biasForward } from "../../kernels/bias.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { channelSum, checkChannels, rowsPerItem } from "./channel-reduction.ts";
import type { DType } from "../shape.ts";

/**
 * Adds `bias` `[C]` to the last axis of `x` `[N, .., C]` (`tf.nn.bias_add`).
 *
 * @throws Error when the channels do not fit.
 */
export function biasAdd<D extends DType>(x: Tensor<D>, bias: Tensor): Tensor<D> {
  checkChannels("biasAdd", x, [bias]);
  return x.graph.apply(
    {
      name: "bias_add",
      family: "elementwise",
      outputs: [x],
      elementwise: { text: "a + b", args: { a: x, b: bias } },
      lower(l, [y]) {
        const inPlace = l.overwrites(x, y);
        for (const range of l.slices([x, y])) {
          const kernel = biasForward(l.target, range.count * rowsPerItem(x), bias.shape[0], { inPlace });
          l.dispatch(kernel, { ...(!inPlace && { x: batchSlice(x, range) }), bias, y: batchSlice(y, range) });
        }
      },
      gradient: ([dy]) => [() => dy!, () => channelSum(dy!)],
    },
    [x, bias],
  ).outputs[0];
}
