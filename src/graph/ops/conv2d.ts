import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Padding } from "../../kernels/text/window.ts";
import { products } from "../fuse/product-rewrite.ts";
import type { Tensor } from "../graph.ts";
import { channelSum } from "./channel-reduction.ts";
import { momentsInPassing } from "./moments.ts";
import { applyBackwardData, applyBackwardWeights, applyForward } from "../lowering/conv2d-products.ts";
import type { DType } from "../shape.ts";

/** How a convolution's kernel moves. */
export interface Conv2dOptions {
  /** Pixels from one place of the kernel to the next; a number is for both ways. */
  readonly strides: number | readonly [number, number];
  /** As TensorFlow's `same` (uneven at the bottom and right) and `valid`, or explicit zeros on each side. */
  readonly padding: Padding;
  /** `[Cout]`, added to the result; none by default. */
  readonly bias?: Tensor | undefined;
}

/**
 * 2-D convolution (`tf.nn.conv2d`): `x` `[N, H, W, Cin]`, `kernel` HWIO `[kh, kw, Cin, Cout]`, and a bias where one is given,
 * to `[N, Ho, Wo, Cout]`.
 *
 * @throws Error when ranks or channels do not fit, or the kernel is larger than the padded image.
 */
export function conv2d<D extends DType>(
  x: Tensor<D>,
  kernel: Tensor,
  { strides, padding, bias }: Conv2dOptions,
): Tensor<D> {
  const geometry = conv2dGeometry(x.shape, kernel.shape, { strides, padding });
  return applyForward(x, kernel, geometry, {
    name: "conv2d",
    rewriting: products,
    moments: momentsInPassing,
    bias,
    gradient: ([dy]) => [
      () =>
        applyBackwardData(dy!, kernel, geometry, {
          name: "conv2d_gradient_input",
          rewriting: products,
        }),
      () =>
        applyBackwardWeights(x, dy!, geometry, {
          name: "conv2d_gradient_kernel",
          rewriting: products,
        }),
      ...(bias ? [() => channelSum(dy!)] : []),
    ],
  });
}
