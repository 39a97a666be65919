import { transposeForward } from "../../kernels/transpose.ts";
import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * Transpose of a matrix (`tf.transpose`): `x` `[N, M]` to `[M, N]`.
 *
 * @throws Error when x is no matrix.
 */
export function transpose<D extends DType>(x: Tensor<D>): Tensor<D> {
  if (x.shape.length !== 2)
    throw new Error(`transpose takes a matrix [N, M]; "${x.name}" is ${shapeText(x.shape)}.`);
  const [columns, rows] = x.shape;
  return x.graph.apply(
    {
      name: "transpose",
      family: "copy",
      outputs: [{ shape: [rows, columns], dtype: x.dtype }],
      lower: (l, [y]) => l.dispatch(transposeForward(l.target, rows, columns), { x, y }),
      gradient: ([dy]) => [() => transpose(dy!)],
    },
    [x],
  ).outputs[0];
}
