import type { Tensor } from "../graph/graph.ts";
import { glorotUniform, randomNormal, zeros } from "../graph/initializers.ts";
import { biasAdd } from "../graph/ops/bias.ts";
import { concat } from "../graph/ops/concat.ts";
import { conv2dTranspose } from "../graph/ops/conv2d-transpose.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { denseNet121 } from "./densenet121.ts";
import type { Mode } from "./layer.ts";

/** Filters of the decoder's four upsample blocks, deepest first. */
const DECODER_FILTERS = [512, 256, 128, 64];
const KERNEL_SIZE = 3;

export interface UNetOptions {
  /** Classes to tell apart at each pixel. */
  readonly classes: number;
  /** A training step (batch statistics, moving averages) or an evaluation. */
  readonly training: boolean;
  /** Learn the encoder too; frozen, it costs no backward pass and keeps its statistics. */
  readonly trainableEncoder: boolean;
  /** Of the batch norms' moving statistics; Keras's default is 0.99. */
  readonly momentum?: number;
}

/**
 * The U-Net of the pix2pix/segmentation tutorials of TensorFlow on a DenseNet121: four upsample blocks, each joined
 * with the encoder's output of its size, and a transposed convolution to the class logits.
 *
 * `image`: `[N, S, S, 3]` in [0, 1], S a multiple of 32. Returns logits `[N, S, S, classes]`.
 */
export function unet(image: Tensor, options: UNetOptions): Tensor {
  const { classes, training, trainableEncoder, momentum = 0.99 } = options;
  const { skips } = denseNet121(image, { training, trainable: trainableEncoder, momentum });
  const joins = [skips.pool4_relu, skips.pool3_relu, skips.pool2_relu, skips["conv1/relu"]];
  let x = skips.relu;
  DECODER_FILTERS.forEach((filters, i) => {
    x = upsampleBlock(x, `upsample_${i + 1}`, filters, { training, trainable: true, momentum });
    x = concat([x, joins[i]]);
  });
  const kernel = image.graph.parameter(
    "head/kernel",
    [KERNEL_SIZE, KERNEL_SIZE, classes, x.shape[3]],
    glorotUniform,
  );
  const bias = image.graph.parameter("head/bias", [classes], zeros);
  return biasAdd(conv2dTranspose(x, kernel, { strides: 2, padding: "same" }), bias);
}

/**
 * pix2pix `upsample(filters, 3)`: transposed convolution of stride 2 without bias, batch norm, ReLU.
 * `[N, H, W, C]` becomes `[N, 2H, 2W, filters]`.
 */
export function upsampleBlock(
  x: Tensor,
  name: string,
  filters: number,
  options: Mode & { momentum: number },
): Tensor {
  const shape = [KERNEL_SIZE, KERNEL_SIZE, filters, x.shape[3]];
  const kernel = x.graph.parameter(`${name}/conv2d_transpose/kernel`, shape, randomNormal(0.02), options);
  const y = conv2dTranspose(x, kernel, { strides: 2, padding: "same" });
  return batchNormalization(y, `${name}/batch_normalization`, {
    ...options,
    epsilon: 1e-3,
    activation: "relu",
  });
}
