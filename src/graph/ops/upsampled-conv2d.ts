import { turnKernel } from "../../kernels/turn-kernel.ts";
import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { STACK_ALIGNMENT } from "../graph.ts";
import type { Tensor } from "../graph.ts";
import { listed } from "../lowering/conv2d-products.ts";
import type { Images } from "../lowering/conv2d-products.ts";
import { applyDepthwise, applyDepthwiseData } from "../lowering/depthwise-products.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { biasAdd } from "./bias.ts";
import { conv2dTranspose } from "./conv2d-transpose.ts";
import { fill } from "./fill.ts";

export interface UpsampledConv2dOptions {
  /** `[Cout]`, added to the result; none by default. */
  readonly bias?: Tensor | undefined;
}

/**
 * Twice the size by repeating pixels, then a 3×3 convolution of stride 1 with `same` padding (Keras `Conv2D` behind
 * `UpSampling2D(2)`, nearest): `x` `[N, H, W, Cin]`, `kernel` HWIO `[3, 3, Cin, Cout]`, and a bias where one is given, to
 * `[N, 2H, 2W, Cout]`. Of two tensors x it is that of their concatenation along the channels.
 *
 * Repeating pixels is putting zeros between them and adding up windows of 2×2. Such sums and a convolution may change places, and
 * a convolution of an image with zeros between its pixels is a transposed one of stride 2: a quarter of the products, and no image of
 * twice the size with all channels of x.
 *
 * @throws Error when ranks or channels do not fit, the kernel is not 3×3, or two tensors differ in another axis than the last.
 */
export function upsampledConv2d<D extends DType>(
  images: Images<D>,
  kernel: Tensor,
  { bias }: UpsampledConv2dOptions = {},
): Tensor<D> {
  const { shape, name } = kernel;
  if (shape.length !== 4 || shape[0] !== 3 || shape[1] !== 3) {
    throw new Error(`upsampledConv2d: the kernel "${name}" ${shapeText(shape)} must be [3, 3, in, out].`);
  }
  const [{ shape: xShape }] = listed(images);
  const [height, width, channels] = [2 * xShape[1], 2 * xShape[2], shape[3]];
  // One more than there are sums, and as many zeros behind them as let images of f32 begin where bindings may, for a batch to be cut
  // anywhere: multiples of so many pixels, of which C & −C, the largest power of two that divides C, are in the channels.
  const together = Math.max(1, STACK_ALIGNMENT / (channels & -channels));
  const multiple = 2 ** Math.ceil(Math.log2(together) / 2);
  const terms = conv2dTranspose(images, turned(kernel), {
    ...{ strides: 2, padding: "valid" },
    outputPadding: [missing(height + 1, multiple), missing(width + 1, together / multiple)],
  });
  const ones = fill(kernel.graph, [2, 2, channels, 1], 1);
  const geometry: Conv2dGeometry = {
    ...conv2dGeometry(terms.shape, [2, 2, channels, channels], { strides: 1, padding: "valid" }),
    ...{ outHeight: height, outWidth: width },
  };
  const y = applyDepthwise(terms, ones, geometry, {
    name: "window_sums",
    gradient: ([dy]) => [
      () => applyDepthwiseData(dy!, ones, geometry, { name: "window_sums_gradient" }),
      null,
    ],
  });
  return bias ? biasAdd(y, bias) : y;
}

/** What `extent` lacks of being a multiple. */
const missing = (extent: number, multiple: number): number =>
  Math.ceil(extent / multiple) * multiple - extent;

/** `kernel` `[kh, kw, A, B]` turned by half a turn, its channels exchanged: `[kh, kw, B, A]`. */
function turned(kernel: Tensor): Tensor {
  const [height, width, columns, rows] = kernel.shape;
  return kernel.graph.apply(
    {
      name: "turn_kernel",
      family: "convolution",
      outputs: [{ shape: [height, width, rows, columns], dtype: kernel.dtype }],
      lower: (l, [y]) => l.dispatch(turnKernel(l.target, height * width, rows, columns), { x: kernel, y }),
      gradient: ([dy]) => [() => turned(dy!)],
    },
    [kernel],
  ).outputs[0];
}
