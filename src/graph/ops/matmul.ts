import type { Tensor } from "../graph.ts";
import { applyBatched } from "../lowering/batched-products.ts";
import { shapeText, sizeOf } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import { cast } from "./cast.ts";
import { broadcastExtents, sumTo } from "./elementwise.ts";
import { matrixProduct } from "./matrix-product.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** Which factors are transposed; none by default. */
export interface MatmulOptions {
  /** Take the matrices of `a`, `[K, M]`, for their transposes. */
  readonly transposeA?: boolean;
  /** Take the matrices of `b`, `[N, K]`, for their transposes. */
  readonly transposeB?: boolean;
}

/**
 * Matrix products `a · b` (`tf.matmul`): `[.., M, K]` and `[.., K, N]` to `[.., M, N]`. The axes before the last two are a batch of matrices; those of
 * the two factors broadcast by NumPy's rules, and a factor's gradient is summed over what it was repeated along. Runs on the tiles of
 * convolutions, all matrices in one dispatch. The result is stored as `a` is, but of two matrices with `transposeA` as f32, as gradients
 * of kernels are.
 *
 * @throws Error when a factor is no matrix or holds u32, or extents do not fit.
 */
export function matmul<D extends DType>(
  a: Tensor<D>,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor<D | "f32"> {
  const batch = check(a, b, transposeA, transposeB);
  if (transposeA && transposeB) return matmul(swapLast(a), b, { transposeB });
  const [rows, inner] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const shape = [...batch, rows, columns];
  // Many rows by the same matrix are more rows of one product.
  const shared = sizeOf(b.shape.slice(0, -2)) === 1;
  if (shared && (!transposeA || sizeOf(batch) === 1)) {
    const lines = transposeA ? [inner, rows] : [sizeOf(a.shape) / inner, inner];
    const transposed = transposeA ? "a" : transposeB ? "b" : "none";
    return reshape(matrixProduct(reshape(a, lines), reshape(b, b.shape.slice(-2)), transposed), shape);
  }
  const of = (x: Tensor, product: Tensor): Tensor =>
    cast(sumTo(product, x.shape), x.dtype === "f16" ? "f16" : "f32");
  const extents = { rows, inner, columns };
  if (transposeA) {
    return applyBatched(a, b, batch, extents, "a", ([dy]) => [
      () => of(a, matmul(b, dy!, { transposeB: true })),
      () => of(b, matmul(a, dy!)),
    ]);
  }
  if (transposeB) {
    return applyBatched(a, b, batch, extents, "b", ([dy]) => [
      () => of(a, matmul(dy!, b)),
      () => of(b, matmul(dy!, a, { transposeA: true })),
    ]);
  }
  return applyBatched(a, b, batch, extents, "none", ([dy]) => [
    () => of(a, matmul(dy!, b, { transposeB: true })),
    () => of(b, matmul(a, dy!, { transposeA: true })),
  ]);
}

/** The batch of the result. */
function check(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Shape {
  const text = ({ name, dtype, shape }: Tensor, transposed: boolean): string =>
    `"${name}" ${dtype === "u32" ? "u32 " : ""}${shapeText(shape)}${transposed ? " transposed" : ""}`;
  const fail = (why: string): Error =>
    new Error(`matmul: ${text(a, transposeA)} and ${text(b, transposeB)} do not fit: ${why}.`);
  if (a.shape.length < 2 || b.shape.length < 2) throw fail("it takes [.., M, K] and [.., K, N]");
  if (a.dtype === "u32" || b.dtype === "u32") throw fail("it takes floats; cast u32 to f32 first");
  const [inner, innerB] = [a.shape.at(transposeA ? -2 : -1), b.shape.at(transposeB ? -1 : -2)];
  if (inner !== innerB) throw fail(`it takes [.., M, K] and [.., K, N], and K is ${inner} and ${innerB}`);
  const batch = broadcastExtents([a, b].map(({ shape }) => shape.slice(0, -2)));
  if (!batch) throw fail("the axes before the last two must be equal or 1, counted from the last");
  return batch;
}

/** Each matrix transposed. */
const swapLast = <D extends DType>(x: Tensor<D>): Tensor<D> =>
  transpose(
    x,
    [...x.shape.keys()].map(
      (axis) => axis + (axis === x.shape.length - 2 ? 1 : axis === x.shape.length - 1 ? -1 : 0),
    ),
  );
