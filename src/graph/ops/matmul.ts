import { matmulForward } from "../../kernels/matmul.ts";
import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";

export interface MatmulOptions {
  /** Take `a` `[K, N]` for its transpose. */
  readonly transposeA?: boolean;
  /** Take `b` `[M, K]` for its transpose. */
  readonly transposeB?: boolean;
}

/**
 * Matrix product `a · b` (`tf.matmul` of two matrices): `[N, K]` and `[K, M]` to `[N, M]`. Meant for small matrices: an
 * element is one chain of K multiply-adds.
 *
 * @throws Error when ranks or extents do not fit.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor {
  const [rows, inner] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [innerB, columns] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || inner !== innerB) {
    const text = ({ name, shape }: Tensor, transposed: boolean): string =>
      `"${name}" ${shapeText(shape)}${transposed ? " transposed" : ""}`;
    throw new Error(
      `matmul: ${text(a, transposeA)} and ${text(b, transposeB)} do not fit: it takes [N, K] and [K, M].`,
    );
  }
  return a.graph.apply(
    {
      name: "matmul",
      family: "convolution",
      outputs: [{ shape: [rows, columns], dtype: "f32" }],
      lower: (l, [y]) =>
        l.dispatch(matmulForward(l.target, { rows, inner, columns, transposeA, transposeB }), { a, b, y }),
      gradient: ([dy]) => [
        () =>
          transposeA
            ? matmul(b, dy!, { transposeA: transposeB, transposeB: true })
            : matmul(dy!, b, { transposeB: !transposeB }),
        () =>
          transposeB
            ? matmul(dy!, a, { transposeA: true, transposeB: transposeA })
            : matmul(a, dy!, { transposeA: !transposeA }),
      ],
    },
    [a, b],
  ).outputs[0];
}
