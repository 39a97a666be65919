import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Tensor } from "../graph.ts";
import { applyBackwardData, applyBackwardWeights, applyForward } from "../lowering/conv2d-products.ts";
import type { Op } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** Which factors are transposed; none by default. */
export interface MatmulOptions {
  /** Take `a` `[K, N]` for its transpose. */
  readonly transposeA?: boolean;
  /** Take `b` `[M, K]` for its transpose. */
  readonly transposeB?: boolean;
}

/**
 * Matrix product `a · b` (`tf.matmul` of two matrices): `[N, K]` and `[K, M]` to `[N, M]`. It is a 1×1
 * convolution of images of one pixel, or one of its gradients where a factor is transposed, and runs on the same tiles. As `a` it is f32
 * or f16; with `transposeA` f32, as gradients of kernels are.
 *
 * @throws Error when ranks or extents do not fit.
 */
export function matmul<D extends DType>(
  a: Tensor<D>,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor<D | "f32"> {
  const [rows, inner] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [innerB, columns] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || inner !== innerB) {
    const text = ({ name, shape }: Tensor, transposed: boolean): string =>
      `"${name}" ${shapeText(shape)}${transposed ? " transposed" : ""}`;
    throw new Error(
      `matmul: ${text(a, transposeA)} and ${text(b, transposeB)} do not fit: it takes [N, K] and [K, M].`,
    );
  }
  if (transposeA && transposeB) return matmul(transpose(a), b, { transposeB });
  const shape = [rows, columns];
  const naming = (da: (dy: Tensor) => Tensor, db: (dy: Tensor) => Tensor): Naming => ({
    name: "matmul",
    gradient: ([product]) => {
      const dy = reshape(product!, shape);
      return [() => da(dy), () => db(dy)];
    },
  });
  if (transposeA && transposeB) return matmul(transpose(a), b, { transposeB });
  if (transposeA) {
    const [left, right] = [images(a), images(b)];
    const da = (dy: Tensor): Tensor => images(matmul(b, dy, { transposeB: true }));
    const db = (dy: Tensor): Tensor => images(matmul(a, dy));
    return reshape(applyBackwardWeights(left, right, pointwise(inner, rows, columns), naming(da, db)), shape);
  }
  const [left, kernel] = [images(a), kernelOf(b)];
  if (transposeB) {
    const da = (dy: Tensor): Tensor => images(matmul(dy, b));
    const db = (dy: Tensor): Tensor => kernelOf(matmul(dy, a, { transposeA: true }));
    return reshape(applyBackwardData(left, kernel, pointwise(rows, columns, inner), naming(da, db)), shape);
  }
  const da = (dy: Tensor): Tensor => images(matmul(dy, b, { transposeB: true }));
  const db = (dy: Tensor): Tensor => kernelOf(matmul(a, dy, { transposeA: true }));
  return reshape(applyForward(left, kernel, pointwise(rows, inner, columns), naming(da, db)), shape);
}

type Naming = Pick<Op, "name" | "gradient">;

/** The rows of a matrix as images of one pixel. */
const images = <D extends DType>(matrix: Tensor<D>): Tensor<D> =>
  reshape(matrix, [matrix.shape[0], 1, 1, matrix.shape[1]]);

/** A matrix as the kernel of a 1×1 convolution. */
const kernelOf = (matrix: Tensor): Tensor => reshape(matrix, [1, 1, ...matrix.shape]);

/** A 1×1 convolution of images of one pixel. */
const pointwise = (batch: number, inChannels: number, outChannels: number): Conv2dGeometry =>
  conv2dGeometry([batch, 1, 1, inChannels], [1, 1, inChannels, outChannels], {
    strides: 1,
    padding: "valid",
  });
