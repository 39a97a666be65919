/**
 * @file What stands in for `src/layers/unet.ts` where the network itself is not the point: a U-Net of the same kinds of layers
 * under the same names, two layers a dense block and a hundredth of the channels (see `small-network.ts`).
 */
import { conv2d } from "../../src/graph/ops/conv2d.ts";
import type { Conv2dOptions } from "../../src/graph/ops/conv2d.ts";
import { averagePool2d, maxPool2d } from "../../src/graph/ops/pool.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { glorotUniform } from "../../src/graph/initializers.ts";
import type { Images } from "../../src/graph/lowering/conv2d-products.ts";
import { batchNormalization } from "../../src/layers/batch-normalization.ts";
import { upsampleBlock, upsampleHead } from "../../src/layers/decoder.ts";
import { fusedDenseBlock } from "../../src/layers/dense-block.ts";
import type * as unetModule from "../../src/layers/unet.ts";

/** Multiples of four: a dense block doubles the first layer's channels, and the convolution behind it halves them again. */
const [FIRST, LAYERS, GROWTH] = [8, 2, 4];
const BLOCKS = [2, 3, 4, 5];
const DECODER_FILTERS = [16, 8, 8, 8];
const EPSILON = 1.001e-5;

export const SKIPS: typeof unetModule.SKIPS = {
  "conv1/relu": { stride: 2, channels: FIRST },
  pool2_relu: { stride: 4, channels: 2 * FIRST },
  pool3_relu: { stride: 8, channels: 2 * FIRST },
  pool4_relu: { stride: 16, channels: 2 * FIRST },
  relu: { stride: 32, channels: 2 * FIRST },
};

export const unetEncoder: typeof unetModule.unetEncoder = (image, options) => {
  const { training, trainableEncoder: trainable, momentum = 0.99 } = options;
  const group = "encoder";
  const mode = { training, trainable, group, momentum, epsilon: EPSILON };
  const bnRelu = (x: Tensor, name: string): Tensor =>
    batchNormalization(x, name, { ...mode, activation: "relu" });
  const conv = (x: Tensor, name: string, size: number, options: Conv2dOptions): Tensor => {
    const shape = [size, size, x.shape[3], FIRST];
    const kernel = x.graph.parameter(`${name}/kernel`, shape, glorotUniform, { trainable, group });
    return conv2d(x, kernel, options);
  };
  const around = (size: number) => ({ top: size, bottom: size, left: size, right: size });

  const conv1 = bnRelu(conv(image, "conv1/conv", 7, { strides: 2, padding: around(3) }), "conv1/bn");
  let x = maxPool2d(conv1, { poolSize: 3, strides: 2, padding: around(1) });
  const [pool2, pool3, pool4, relu] = BLOCKS.map((block) => {
    const y = fusedDenseBlock(x, `conv${block}`, { ...mode, layers: LAYERS, growth: GROWTH });
    const name = `pool${block}`;
    if (block === BLOCKS.at(-1)) return bnRelu(y, "bn");
    const tap = bnRelu(y, `${name}_bn`);
    const pooled = averagePool2d(tap, { poolSize: 2, strides: 2, padding: "valid" });
    x = conv(pooled, `${name}_conv`, 1, { strides: 1, padding: "valid" });
    return tap;
  });
  return { "conv1/relu": conv1, pool2_relu: pool2, pool3_relu: pool3, pool4_relu: pool4, relu };
};

export const unetDecoder: typeof unetModule.unetDecoder = (skips, options) => {
  const { classes, training, trainableDecoder = true, momentum = 0.99, decoder = "transpose" } = options;
  const mode = { decoder, training, trainable: trainableDecoder, group: "decoder", momentum };
  const joins = [skips.pool4_relu, skips.pool3_relu, skips.pool2_relu, skips["conv1/relu"]];
  let x: Images = skips.relu;
  DECODER_FILTERS.forEach((filters, i) => {
    x = [upsampleBlock(x, `upsample_${i + 1}`, filters, mode), joins[i]];
  });
  return upsampleHead(x, "head", classes, { ...mode, trainable: true, group: "head" });
};

export const unet: typeof unetModule.unet = (image, options) =>
  unetDecoder(unetEncoder(image, options), options);
