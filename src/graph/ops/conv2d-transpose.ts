import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import { applyBackwardData, applyBackwardWeights, applyForward } from "./conv2d-products.ts";

export interface Conv2dTransposeOptions {
  readonly strides: number | readonly [number, number];
  readonly padding: "same" | "valid";
}

/**
 * Transposed 2-D convolution (Keras `Conv2DTranspose`): `x` `[N, H, W, Cin]`, `kernel` HWOI `[kh, kw, Cout, Cin]`,
 * without bias. With `same` the output is `stride` times as large; with `valid`, `H·stride + max(kh − stride, 0)`.
 *
 * It is the gradient of a convolution from the output's shape to the input's, and is computed as just that: forward
 * is the convolution's gradient by its input, and the gradient by the input is the convolution.
 *
 * @throws Error when ranks or channels do not fit.
 */
export function conv2dTranspose(
  x: Tensor,
  kernel: Tensor,
  { strides, padding }: Conv2dTransposeOptions,
): Tensor {
  const [strideY, strideX] = typeof strides === "number" ? [strides, strides] : strides;
  if (x.shape.length !== 4 || kernel.shape.length !== 4 || x.shape[3] !== kernel.shape[3]) {
    throw new Error(
      `conv2dTranspose: "${x.name}" ${shapeText(x.shape)} (NHWC) and "${kernel.name}" ${shapeText(kernel.shape)} ` +
        `(HWOI) do not fit: both must be of rank 4 with the same last extent.`,
    );
  }
  const [batch, height, width] = x.shape;
  const [kernelHeight, kernelWidth, channels] = kernel.shape;
  const extent = (input: number, stride: number, size: number): number =>
    input * stride + (padding === "same" ? 0 : Math.max(size - stride, 0));
  const yShape = [
    batch,
    extent(height, strideY, kernelHeight),
    extent(width, strideX, kernelWidth),
    channels,
  ];
  const geometry = conv2dGeometry(yShape, kernel.shape, { strides: [strideY, strideX], padding });
  return applyBackwardData(x, kernel, geometry, {
    name: "conv2d_transpose",
    moments: true,
    gradient: ([dy]) => [
      () => applyForward(dy!, kernel, geometry, { name: "conv2d_transpose_gradient_input" }),
      () => applyBackwardWeights(dy!, x, geometry, { name: "conv2d_transpose_gradient_kernel" }),
    ],
  });
}
