/** @file How the decoder doubles an image's size: as pix2pix's code does it, or as the tutorial's prose tells it. */
import type { Tensor } from "../graph/graph.ts";
import { glorotUniform, randomNormal, zeros } from "../graph/initializers.ts";
import type { Initializer } from "../graph/initializers.ts";
import { biasAdd } from "../graph/ops/bias.ts";
import { channelsOf, listed } from "../graph/lowering/conv2d-products.ts";
import type { Images } from "../graph/lowering/conv2d-products.ts";
import { concat } from "../graph/ops/concat.ts";
import { conv2dTranspose } from "../graph/ops/conv2d-transpose.ts";
import { conv2d } from "../graph/ops/conv2d.ts";
import { upsampleNearest2x } from "../graph/ops/upsample-nearest2x.ts";
import { batchNormalization } from "./batch-normalization.ts";
import type { Mode } from "./layer.ts";

/**
 * `transpose`: a 3×3 transposed convolution of stride 2. `nearest`: every pixel repeated 2×2, then a 3×3 convolution of
 * stride 1. Both with `same` padding and as many parameters.
 */
export type Decoder = "transpose" | "nearest";

export interface UpsampleOptions extends Mode {
  readonly decoder: Decoder;
  /** Of the batch norm's moving statistics. */
  readonly momentum: number;
}

const KERNEL_SIZE = 3;

/**
 * pix2pix `upsample(filters, 3)`: {@link Decoder} without bias, batch norm, ReLU. `[N, H, W, C]`, or
 * two such tensors joined along the channels, becomes `[N, 2H, 2W, filters]`. The kernel is `<name>/conv2d_transpose/kernel` (HWOI) or `<name>/conv2d/kernel` (HWIO).
 */
export function upsampleBlock(x: Images, name: string, filters: number, options: UpsampleOptions): Tensor {
  const { decoder, ...mode } = options;
  const layer = { transpose: "conv2d_transpose", nearest: "conv2d" }[decoder];
  const y = convolve2x(x, `${name}/${layer}/kernel`, filters, randomNormal(0.02), options);
  return batchNormalization(y, `${name}/batch_normalization`, { ...mode, epsilon: 1e-3, activation: "relu" });
}

/**
 * The last layer: {@link Decoder} with `<name>/kernel` and `<name>/bias`, to the logits of `classes` classes.
 * `[N, H, W, C]` becomes `[N, 2H, 2W, classes]`.
 */
export function upsampleHead(
  x: Images,
  name: string,
  classes: number,
  options: Pick<UpsampleOptions, "decoder" | "trainable" | "group">,
): Tensor {
  const y = convolve2x(x, `${name}/kernel`, classes, glorotUniform, options);
  return biasAdd(y, y.graph.parameter(`${name}/bias`, [classes], zeros, options));
}

function convolve2x(
  x: Images,
  kernelName: string,
  filters: number,
  initializer: Initializer,
  { decoder, trainable, group }: Pick<UpsampleOptions, "decoder" | "trainable" | "group">,
): Tensor {
  const channels = channelsOf(x);
  const [{ graph }] = listed(x);
  const kernel = (...lastAxes: [number, number]): Tensor =>
    graph.parameter(kernelName, [KERNEL_SIZE, KERNEL_SIZE, ...lastAxes], initializer, { trainable, group });
  return decoder === "transpose"
    ? conv2dTranspose(x, kernel(filters, channels), { strides: 2, padding: "same" })
    : conv2d(upsampleNearest2x(joined(x)), kernel(channels, filters), { strides: 1, padding: "same" });
}

const joined = (images: Images): Tensor => ("graph" in images ? images : concat(images));
