import { argmaxForward } from "../../kernels/argmax.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { bytesOf, shapeText, sizeOf } from "../shape.ts";
import { axisOf } from "./axes.ts";

/** Options of {@link argmax}. */
export interface ArgmaxOptions {
  /** Negative ones are counted from the last, which it is by default. */
  readonly axis?: number;
}

/**
 * Index of the largest value along an axis, of equal ones the lowest (`tf.argmax`): `x` `[N, .., classes]`, f32 or f16, along the last one to
 * `[N, ..]`, u32. It has no gradient.
 *
 * @throws Error when `x` has no such axis, or is u32.
 */
export function argmax(x: Tensor, { axis = -1 }: ArgmaxOptions = {}): Tensor<"u32"> {
  const at = axisOf("argmax", x, axis);
  if (x.dtype === "u32")
    throw new Error(`argmax takes floats; "${x.name}" is u32 ${shapeText(x.shape)}: cast it to f32 first.`);
  const [extent, inner] = [x.shape[at], sizeOf(x.shape.slice(at + 1))];
  return x.graph.apply(
    {
      name: "argmax",
      family: "loss",
      outputs: [{ shape: x.shape.filter((_, i) => i !== at), dtype: "u32" }],
      lower(l, [y]) {
        if (at === 0 && bytesOf(x) > l.target.maxBindingBytes) {
          const best = l.scratch(4 * inner);
          for (const range of l.slices([x])) {
            const kernel = argmaxForward(l.target, { outer: 1, extent: range.count, inner }, range.first);
            l.dispatch(kernel, { x: batchSlice(x, range), y, best });
          }
          return;
        }
        if (at === 0) {
          l.dispatch(argmaxForward(l.target, { outer: 1, extent, inner }), { x, y });
          return;
        }
        const perItem = sizeOf(x.shape.slice(1, at));
        for (const range of l.slices([x, y])) {
          const kernel = argmaxForward(l.target, { outer: range.count * perItem, extent, inner });
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
    },
    [x],
  ).outputs[0];
}
