/** @file What a dense layer is: many rows by one matrix, and a bias. */
import type { Tensor } from "../graph.ts";
import { lowerProduct } from "../lowering/matrix-product.ts";
import { shapeText, sizeOf } from "../shape.ts";
import type { DType } from "../shape.ts";
import { channelSum } from "./channel-reduction.ts";
import { matrixProduct } from "./matrix-product.ts";
import { reshape } from "./reshape.ts";

/**
 * `x` `[.., K]` times `kernel` `[K, M]`, to `[.., M]`, stored as x is: many rows by the same matrix are more rows of one product, which adds a
 * `bias` `[M]` where one is given. The extents of x and the kernel have to fit.
 *
 * @throws Error when the bias does not fit.
 */
export function rowsProduct<D extends DType>(x: Tensor<D>, kernel: Tensor, bias?: Tensor): Tensor<D | "f32"> {
  const [inner, columns] = kernel.shape;
  const rows = sizeOf(x.shape.slice(0, -1));
  const a = reshape(x, [rows, inner]);
  const shape = [...x.shape.slice(0, -1), columns];
  if (!bias) return reshape(matrixProduct(a, kernel), shape);
  if (bias.shape.length !== 1 || bias.shape[0] !== columns)
    throw new Error(`dense: the bias "${bias.name}" ${shapeText(bias.shape)} must be [${columns}].`);
  const product = x.graph.apply(
    {
      name: "dense",
      family: "convolution",
      outputs: [{ shape: [rows, columns], dtype: x.dtype }],
      lower: (l, [y]) => lowerProduct(l, { a, b: kernel, bias, y }, { rows, inner, columns }, "none"),
      gradient: ([dy]) => [
        () => matrixProduct(dy!, kernel, "b"),
        () => matrixProduct(a, dy!, "a"),
        () => channelSum(dy!),
      ],
    },
    [a, kernel, bias],
  ).outputs[0];
  return reshape(product, shape);
}
