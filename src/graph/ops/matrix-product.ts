/** @file Products of two matrices. Those of batches of matrices are in matmul.ts. */
import type { Tensor } from "../graph.ts";
import { lowerProduct } from "../lowering/matrix-product.ts";
import type { Transposed } from "../lowering/matrix-product.ts";
import type { DType } from "../shape.ts";

/**
 * The product of two matrices `[N, K]` and `[K, M]`, which have to fit, at most one of them transposed. Stored as `a` is, with `a`
 * transposed as f32.
 */
export function matrixProduct<D extends DType>(
  a: Tensor<D>,
  b: Tensor,
  transposed: Transposed = "none",
): Tensor<D | "f32"> {
  const [rows, inner] = transposed === "a" ? [a.shape[1], a.shape[0]] : a.shape;
  const columns = b.shape[transposed === "b" ? 0 : 1];
  const dtype = transposed === "a" ? "f32" : a.dtype;
  return a.graph.apply(
    {
      name: "matmul",
      family: "convolution",
      outputs: [{ shape: [rows, columns], dtype }],
      lower: (l, [y]) => lowerProduct(l, { a, b, y }, { rows, inner, columns }, transposed),
      gradient([dy]) {
        if (transposed === "a") return [() => matrixProduct(b, dy!, "b"), () => matrixProduct(a, dy!)];
        if (transposed === "b") return [() => matrixProduct(dy!, b), () => matrixProduct(dy!, a, "a")];
        return [() => matrixProduct(dy!, b, "b"), () => matrixProduct(a, dy!, "a")];
      },
    },
    [a, b],
  ).outputs[0];
}
