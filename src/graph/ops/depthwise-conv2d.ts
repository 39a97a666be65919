import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { products } from "../fuse/product-rewrite.ts";
import type { Tensor } from "../graph.ts";
import { applyDepthwise, applyDepthwiseData, applyDepthwiseWeights } from "../lowering/depthwise-products.ts";
import { shapeText } from "../shape.ts";
import type { Conv2dOptions } from "./conv2d.ts";
import { momentsInPassing } from "./moments.ts";
import type { DType } from "../shape.ts";

/**
 * Depthwise 2-D convolution (`tf.nn.depthwise_conv2d`): each channel of `x` `[N, H, W, C]` with a kernel of its own, `kernel`
 * `[kh, kw, C, 1]`, to `[N, Ho, Wo, C]`; without bias. Keras's `depth_multiplier` is 1.
 *
 * @throws Error when ranks or channels do not fit, or the kernel is larger than the padded image.
 */
export function depthwiseConv2d<D extends DType>(
  x: Tensor<D>,
  kernel: Tensor,
  { strides, padding }: Conv2dOptions,
): Tensor<D> {
  if (kernel.shape.length === 4 && kernel.shape[3] !== 1) {
    throw new Error(
      `depthwiseConv2d: the kernel "${kernel.name}" must be [height, width, channels, 1] and is ` +
        `${shapeText(kernel.shape)}: a depth multiplier other than 1 is not supported.`,
    );
  }
  const g = { ...conv2dGeometry(x.shape, kernel.shape, { strides, padding }), outChannels: x.shape[3] };
  return applyDepthwise(x, kernel, g, {
    name: "depthwise_conv2d",
    moments: momentsInPassing,
    rewriting: products,
    gradient: ([dy]) => [
      () =>
        applyDepthwiseData(dy!, kernel, g, {
          name: "depthwise_conv2d_gradient_input",
          rewriting: products,
        }),
      () =>
        applyDepthwiseWeights(x, dy!, g, {
          name: "depthwise_conv2d_gradient_kernel",
          rewriting: products,
        }),
    ],
  });
}
