import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import { floats } from "./elementwise.ts";
import { rowsProduct } from "./rows-product.ts";
import type { DType } from "../shape.ts";

/**
 * `x · kernel + bias` (Keras `Dense` without activation): `x` `[N, .., K]`, `kernel` `[K, M]`, `bias` `[M]` to `[N, .., M]`.
 *
 * One product, which adds the bias as it stores.
 *
 * @throws Error when ranks or extents do not fit, or x or the kernel is u32.
 */
export function dense<D extends DType>(x: Tensor<D>, kernel: Tensor, bias: Tensor): Tensor<D | "f32"> {
  if (x.shape.length < 2 || kernel.shape.length !== 2 || x.shape.at(-1) !== kernel.shape[0]) {
    throw new Error(
      `dense: "${x.name}" ${shapeText(x.shape)} and the kernel "${kernel.name}" ${shapeText(kernel.shape)} do not ` +
        `fit: it takes [N, .., K] and [K, M].`,
    );
  }
  floats("dense", x, kernel);
  return rowsProduct(x, kernel, bias);
}
