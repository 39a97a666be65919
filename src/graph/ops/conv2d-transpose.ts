import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { products } from "../fuse/product-rewrite.ts";
import type { Tensor } from "../graph.ts";
import { sameShape, shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { channelSum } from "./channel-reduction.ts";
import { momentsInPassing } from "./moments.ts";
import { concat } from "./concat.ts";
import {
  applyBackwardData,
  applyBackwardWeights,
  applyForward,
  applyForwardSplit,
} from "../lowering/conv2d-products.ts";
import { channelsOf, listed } from "../lowering/taps.ts";
import type { Images } from "../lowering/taps.ts";

/** How a transposed convolution's kernel moves, and what it is given besides. */
export interface Conv2dTransposeOptions {
  /** Pixels of the result from one place of the kernel to the next; a number is for both ways. */
  readonly strides: number | readonly [number, number];
  /** As TensorFlow's: what of the result's edges is cut off, or with `valid` nothing. */
  readonly padding: "same" | "valid";
  /** Rows and columns that the result has more at the bottom and right (PyTorch's `output_padding`); none by default. */
  readonly outputPadding?: readonly [rows: number, columns: number];
  /** `[Cout]`, added to the result; none by default. */
  readonly bias?: Tensor | undefined;
}

/**
 * Transposed 2-D convolution (Keras `Conv2DTranspose`): `x` `[N, H, W, Cin]`, `kernel` HWOI `[kh, kw, Cout, Cin]`,
 * and a bias where one is given. With `same` the output is `stride` times as large; with `valid`, `H·stride + max(kh − stride, 0)`. Of two
 * tensors x it is that of their concatenation along the channels, which is never made where both have multiples of 4.
 *
 * It is the gradient of a convolution from the output's shape to the input's, and is computed as just that: forward
 * is the convolution's gradient by its input, and the gradient by the input is the convolution.
 *
 * @throws Error when ranks or channels do not fit, or two tensors differ in another axis than the last.
 */
export function conv2dTranspose<D extends DType>(
  images: Images<D>,
  kernel: Tensor,
  { strides, padding, outputPadding = [0, 0], bias }: Conv2dTransposeOptions,
): Tensor<D> {
  const parts = listed(images);
  const [{ shape, name }] = parts;
  const joinable = parts.every(
    (part) => part.shape[3] % 4 === 0 && sameShape(part.shape.slice(0, 3), shape.slice(0, 3)),
  );
  if (parts.length > 1 && !joinable)
    return conv2dTranspose(concat(parts), kernel, { strides, padding, outputPadding, bias });
  const [strideY, strideX] = typeof strides === "number" ? [strides, strides] : strides;
  if (shape.length !== 4 || kernel.shape.length !== 4 || channelsOf(images) !== kernel.shape[3]) {
    throw new Error(
      `conv2dTranspose: "${name}" ${shapeText([...shape.slice(0, 3), channelsOf(images)])} (NHWC) and "${kernel.name}" ` +
        `${shapeText(kernel.shape)} (HWOI) do not fit: both must be of rank 4 with the same last extent.`,
    );
  }
  const [batch, height, width] = shape;
  const [kernelHeight, kernelWidth, channels] = kernel.shape;
  const extent = (input: number, stride: number, size: number): number =>
    input * stride + (padding === "same" ? 0 : Math.max(size - stride, 0));
  const yShape = [
    batch,
    extent(height, strideY, kernelHeight),
    extent(width, strideX, kernelWidth),
    channels,
  ];
  const unpadded = conv2dGeometry(yShape, kernel.shape, { strides: [strideY, strideX], padding });
  const geometry: Conv2dGeometry = {
    ...unpadded,
    inHeight: unpadded.inHeight + outputPadding[0],
    inWidth: unpadded.inWidth + outputPadding[1],
  };
  return applyBackwardData(images, kernel, geometry, {
    name: "conv2d_transpose",
    rewriting: products,
    moments: momentsInPassing,
    bias,
    gradient([dy]) {
      const naming = { name: "conv2d_transpose_gradient_input", rewriting: products };
      let made: readonly Tensor[] | undefined;
      const inputs = (): readonly Tensor[] =>
        (made ??=
          parts.length === 1
            ? [applyForward(dy!, kernel, geometry, naming)]
            : applyForwardSplit(dy!, kernel, geometry, shape[3], naming));
      return [
        ...parts.map((_, i) => () => inputs()[i]),
        () =>
          applyBackwardWeights(dy!, images, geometry, {
            name: "conv2d_transpose_gradient_kernel",
            rewriting: products,
          }),
        ...(bias ? [() => channelSum(dy!)] : []),
      ];
    },
  });
}
