import { oneHotForward } from "../../kernels/one-hot.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { checkIndices } from "./gather.ts";
import { reshape } from "./reshape.ts";

/**
 * Indices as vectors (`tf.one_hot`, `keras.ops.one_hot`): `indices` u32 `[..]` to f32 `[.., classes]`, 1 at the index and 0 elsewhere; of an index
 * that is no class, zeros. It has no gradient: the indices are constants.
 *
 * @throws Error when `indices` is not u32, or `classes` is no whole number from 1.
 */
export function oneHot(indices: Tensor, classes: number): Tensor<"f32"> {
  checkIndices("oneHot", indices);
  if (!Number.isInteger(classes) || classes < 1)
    throw new Error(`oneHot takes a whole number of classes from 1, not ${classes}.`);
  const rows = sizeOf(indices.shape);
  const flat = reshape(indices, [rows]);
  const { outputs } = indices.graph.apply(
    {
      name: "one_hot",
      family: "copy",
      outputs: [{ shape: [rows, classes], dtype: "f32" }],
      constants: [flat],
      lower(l, [y]) {
        for (const range of l.slices([flat, y])) {
          const kernel = oneHotForward(l.target, range.count, classes);
          l.dispatch(kernel, { indices: batchSlice(flat, range), y: batchSlice(y, range) });
        }
      },
    },
    [flat],
  );
  return reshape(outputs[0], [...indices.shape, classes]);
}
