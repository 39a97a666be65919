/** @file Products of two matrices: all that a dense layer takes. Those of batches of matrices are in matmul.ts. */
import type { Tensor } from "../graph.ts";
import {
  applyBackwardData,
  applyBackwardWeights,
  applyForward,
  pointwise,
} from "../lowering/conv2d-products.ts";
import type { Naming } from "../lowering/taps.ts";
import { sizeOf } from "../shape.ts";
import type { DType } from "../shape.ts";
import { channelSum } from "./channel-reduction.ts";
import { reshape } from "./reshape.ts";

/** Which factor lies transposed in memory. */
export type Transposed = "none" | "a" | "b";

/**
 * `x` `[.., K]` times `kernel` `[K, M]`, to `[.., M]`, stored as x is: many rows by the same matrix are more rows of one product, which adds a
 * `bias` `[M]` where one is given. The extents have to fit.
 */
export function rowsProduct<D extends DType>(x: Tensor<D>, kernel: Tensor, bias?: Tensor): Tensor<D | "f32"> {
  const [inner, columns] = kernel.shape;
  const rows = sizeOf(x.shape.slice(0, -1));
  const lines = reshape(x, [rows, inner]);
  const product = applyForward(images(lines), kernelOf(kernel), pointwise({ rows, inner, columns }), {
    name: bias ? "dense" : "matmul",
    bias,
    gradient([dimages]) {
      const dy = reshape(dimages!, [rows, columns]);
      return [
        () => images(matrixProduct(dy, kernel, "b")),
        () => kernelOf(matrixProduct(lines, dy, "a")),
        ...(bias ? [() => channelSum(dy)] : []),
      ];
    },
  });
  return reshape(product, [...x.shape.slice(0, -1), columns]);
}

/**
 * The product of two matrices `[N, K]` and `[K, M]`, which have to fit, at most one of them transposed: a 1×1 convolution of images of one
 * pixel, or one of its gradients. Stored as `a` is, with `a` transposed as f32.
 */
export function matrixProduct<D extends DType>(
  a: Tensor<D>,
  b: Tensor,
  transposed: Transposed = "none",
): Tensor<D | "f32"> {
  const [rows, inner] = transposed === "a" ? [a.shape[1], a.shape[0]] : a.shape;
  const columns = b.shape[transposed === "b" ? 0 : 1];
  const shape = [rows, columns];
  const naming = (da: (dy: Tensor) => Tensor, db: (dy: Tensor) => Tensor): Naming => ({
    name: "matmul",
    gradient: ([product]) => {
      const dy = reshape(product!, shape);
      return [() => da(dy), () => db(dy)];
    },
  });
  if (transposed === "a") {
    const da = (dy: Tensor): Tensor => images(matrixProduct(b, dy, "b"));
    const db = (dy: Tensor): Tensor => images(matrixProduct(a, dy));
    const geometry = pointwise({ rows: inner, inner: rows, columns });
    return reshape(applyBackwardWeights(images(a), images(b), geometry, naming(da, db)), shape);
  }
  if (transposed === "b") {
    const [left, kernel] = [images(a), kernelOf(b)];
    const da = (dy: Tensor): Tensor => images(matrixProduct(dy, b));
    const db = (dy: Tensor): Tensor => kernelOf(matrixProduct(dy, a, "a"));
    const geometry = pointwise({ rows, inner: columns, columns: inner });
    return reshape(applyBackwardData(left, kernel, geometry, naming(da, db)), shape);
  }
  return rowsProduct(a, b);
}

/** The rows of a matrix as images of one pixel. */
const images = <D extends DType>(matrix: Tensor<D>): Tensor<D> =>
  reshape(matrix, [matrix.shape[0], 1, 1, matrix.shape[1]]);

/** A matrix as the kernel of a 1×1 convolution. */
const kernelOf = (matrix: Tensor): Tensor => reshape(matrix, [1, 1, ...matrix.shape]);
