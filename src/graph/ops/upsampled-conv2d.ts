import { turnKernel } from "../../kernels/turn-kernel.ts";
import { conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { STACK_ALIGNMENT } from "../graph.ts";
import { products } from "../fuse/product-rewrite.ts";
import type { Tensor } from "../graph.ts";
import { listed } from "../lowering/taps.ts";
import type { Images } from "../lowering/taps.ts";
import { applyDepthwise, applyDepthwiseData } from "../lowering/depthwise-products.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { biasAdd } from "./bias.ts";
import { bilinearSums } from "./bilinear-sums.ts";
import { conv2dTranspose } from "./conv2d-transpose.ts";
import { fill } from "./fill.ts";
import { momentsInPassing } from "./moments.ts";
import { repeatEdges } from "./repeat-edges.ts";

/** How images are enlarged, and what is added to the result. */
export interface UpsampledConv2dOptions {
  /** How pixels come between pixels: each repeated, or bilinear with half-pixel centres; "nearest" by default. */
  readonly interpolation?: "nearest" | "bilinear";
  /** `[Cout]`, added to the result; none by default. */
  readonly bias?: Tensor | undefined;
}

/**
 * Twice the size, then a 3×3 convolution of stride 1 with `same` padding (Keras `Conv2D` behind `UpSampling2D(2)`): `x`
 * `[N, H, W, Cin]`, `kernel` HWIO `[3, 3, Cin, Cout]`, and a bias where one is given, to `[N, 2H, 2W, Cout]`. Of two tensors x it is that
 * of their concatenation along the channels.
 *
 * Repeating pixels is putting zeros between them and adding up windows of 2×2; bilinear interpolation is to weight windows of 4×4 of
 * an image that goes on beyond its edges. Such sums and a convolution may change places, and a convolution of an image with zeros
 * between its pixels is a transposed one of stride 2: a quarter of the products, but for those at the border, and no image of twice the
 * size with all channels of x.
 *
 * @throws Error when ranks or channels do not fit, the kernel is not 3×3, or two tensors differ in another axis than the last.
 */
export function upsampledConv2d<D extends DType>(
  images: Images<D>,
  kernel: Tensor,
  { interpolation = "nearest", bias }: UpsampledConv2dOptions = {},
): Tensor<D> {
  const { shape, name } = kernel;
  if (shape.length !== 4 || shape[0] !== 3 || shape[1] !== 3) {
    throw new Error(`upsampledConv2d: the kernel "${name}" ${shapeText(shape)} must be [3, 3, in, out].`);
  }
  const [{ shape: xShape }] = listed(images);
  const size = [xShape[1], xShape[2]] as const;
  const y =
    interpolation === "nearest"
      ? windowSums(termsFor(images, kernel, 1), size)
      : bilinearSums(termsFor(bordered(images), kernel, 2), size);
  return bias ? biasAdd(y, bias) : y;
}

/**
 * The convolution of images with zeros between their pixels, wherever its taps meet one of them.
 *
 * @param multiple of rows and columns, filled up with zeros
 */
function termsFor<D extends DType>(images: Images<D>, kernel: Tensor, multiple: number): Tensor<D> {
  const [{ shape }] = listed(images);
  const channels = kernel.shape[3];
  // As many zeros behind the terms as let images of f32 begin where bindings may, for a batch to be cut anywhere: multiples of so many
  // pixels, of which C & −C, the largest power of two that divides C, are in the channels.
  const together = Math.max(1, STACK_ALIGNMENT / (channels & -channels));
  const rows = 2 ** Math.ceil(Math.log2(together) / 2);
  return conv2dTranspose(images, turned(kernel), {
    ...{ strides: 2, padding: "valid" },
    outputPadding: [
      missing(2 * shape[1] + 1, Math.max(multiple, rows)),
      missing(2 * shape[2] + 1, Math.max(multiple, together / rows)),
    ],
  });
}

/** Sums of 2×2 terms, of which there are at least one more than sums. */
function windowSums<D extends DType>(
  terms: Tensor<D>,
  [height, width]: readonly [number, number],
): Tensor<D> {
  const channels = terms.shape[3];
  const ones = fill(terms.graph, [2, 2, channels, 1], 1);
  const geometry: Conv2dGeometry = {
    ...conv2dGeometry(terms.shape, [2, 2, channels, channels], { strides: 1, padding: "valid" }),
    ...{ outHeight: 2 * height, outWidth: 2 * width },
  };
  return applyDepthwise(terms, ones, geometry, {
    name: "window_sums",
    moments: momentsInPassing,
    rewriting: products,
    gradient: ([dy]) => [
      () =>
        applyDepthwiseData(dy!, ones, geometry, {
          name: "window_sums_gradient",
          rewriting: products,
        }),
      null,
    ],
  });
}

/** Each of the images with its edges repeated. */
const bordered = <D extends DType>(images: Images<D>): Images<D> =>
  "graph" in images ? repeatEdges(images) : [repeatEdges(images[0]), repeatEdges(images[1])];

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
