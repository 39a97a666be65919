/** @file Products of two matrices: all that a dense layer takes. Those of batches of matrices are in matmul.ts. */
import type { Tensor } from "../graph.ts";
import { lowerProduct } from "../lowering/matrix-product.ts";
import type { Transposed } from "../lowering/matrix-product.ts";
import { shapeText, sizeOf } from "../shape.ts";
import type { DType } from "../shape.ts";
import { channelSum } from "./channel-reduction.ts";
import { reshape } from "./reshape.ts";

/**
 * `x` `[.., K]` times `kernel` `[K, M]`, to `[.., M]`, stored as x is: many rows by the same matrix are more rows of one product, which adds a
 * `bias` `[M]` where one is given. The extents of x and the kernel have to fit.
 *
 * @throws Error when the bias does not fit.
 */
export function rowsProduct<D extends DType>(x: Tensor<D>, kernel: Tensor, bias?: Tensor): Tensor<D> {
  const [inner, columns] = kernel.shape;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== columns))
    throw new Error(`dense: the bias "${bias.name}" ${shapeText(bias.shape)} must be [${columns}].`);
  const rows = sizeOf(x.shape.slice(0, -1));
  const a = reshape(x, [rows, inner]);
  const product = x.graph.apply(
    {
      name: bias ? "dense" : "matmul",
      family: "convolution",
      outputs: [{ shape: [rows, columns], dtype: x.dtype }],
      lower: (l, [y]) => lowerProduct(l, { a, b: kernel, bias, y }, { rows, inner, columns }, "none"),
      gradient: ([dy]) => [
        () => matrixProduct(dy!, kernel, "b"),
        () => matrixProduct(a, dy!, "a"),
        ...(bias ? [() => channelSum(dy!)] : []),
      ],
    },
    [a, kernel, ...(bias ? [bias] : [])],
  ).outputs[0];
  return reshape(product, [...x.shape.slice(0, -1), columns]);
}

/**
 * The product of two matrices `[N, K]` and `[K, M]`, which have to fit, at most one of them transposed. Stored as `a` is, with `a`
 * transposed as f32.
 */
export function matrixProduct<D extends DType>(
  a: Tensor<D>,
  b: Tensor,
  transposed: Transposed = "none",
): Tensor<D | "f32"> {
  if (transposed === "none") return rowsProduct(a, b);
  const [rows, inner] = transposed === "a" ? [a.shape[1], a.shape[0]] : a.shape;
  const columns = b.shape[transposed === "b" ? 0 : 1];
  const dtype = transposed === "a" ? "f32" : a.dtype;
  return a.graph.apply(
    {
      name: "matmul",
      family: "convolution",
      outputs: [{ shape: [rows, columns], dtype }],
      lower: (l, [y]) => lowerProduct(l, { a, b, y }, { rows, inner, columns }, transposed),
      gradient: ([dy]) =>
        transposed === "a"
          ? [() => matrixProduct(b, dy!, "b"), () => matrixProduct(a, dy!)]
          : [() => matrixProduct(dy!, b), () => matrixProduct(dy!, a, "a")],
    },
    [a, b],
  ).outputs[0];
}
