import type { Tensor } from "../graph/graph.ts";
import { glorotUniform, zeros } from "../graph/initializers.ts";
import { conv2d } from "../graph/ops/conv2d.ts";
import type { Conv2dOptions } from "../graph/ops/conv2d.ts";
import { dense } from "../graph/ops/dense.ts";
import { averagePool2d, globalAveragePool2d, maxPool2d } from "../graph/ops/pool.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { fusedDenseBlock, plainDenseBlock } from "./dense-block.ts";
import type { Mode } from "./layer.ts";

/** Layers in each dense block of DenseNet121. */
const BLOCKS = [6, 12, 24, 16];
/** Channels that each layer of a dense block adds. */
const GROWTH = 32;
/** Keras's epsilon in this network. */
const EPSILON = 1.001e-5;

export interface DenseNet121 {
  /** What a decoder taps, by Keras layer name: `conv1/relu`, `pool2_relu`, `pool3_relu`, `pool4_relu`, `relu`. */
  readonly skips: {
    readonly "conv1/relu": Tensor;
    readonly pool2_relu: Tensor;
    readonly pool3_relu: Tensor;
    readonly pool4_relu: Tensor;
    readonly relu: Tensor;
  };
  /** Logits of the 1000 ImageNet classes, `[N, 1000]`, when asked for (Keras applies a softmax to them). */
  readonly top: Tensor | null;
}

export interface DenseNet121Options extends Mode {
  /** Whether to end in the 1000 classes of ImageNet. */
  readonly top?: boolean;
  /** Of the batch norms' moving statistics; Keras's default is 0.99. */
  readonly momentum?: number;
  /** Each dense block as one op, by default, or as a plain composition: slower, the same numbers. */
  readonly denseBlocks?: "fused" | "plain";
}

/**
 * DenseNet121 (Huang et al. 2017) as `keras.applications.densenet` builds it, layer names included.
 *
 * `image`: `[N, H, W, 3]` with H and W multiples of 32. The skips have strides 2, 4, 8, 16 and 32 and 64, 256, 512,
 * 1024 and 1024 channels.
 *
 * @throws Error when H or W is not a multiple of 32.
 */
export function denseNet121(
  image: Tensor,
  { top = false, momentum = 0.99, denseBlocks = "fused", ...mode }: DenseNet121Options,
): DenseNet121 {
  const [, height, width] = image.shape;
  if (height % 32 !== 0 || width % 32 !== 0) {
    throw new Error(
      `DenseNet121 halves its input five times: ${height}×${width} is not a multiple of 32 each way.`,
    );
  }
  const bnRelu = (x: Tensor, name: string): Tensor =>
    batchNormalization(x, name, { ...mode, momentum, epsilon: EPSILON, activation: "relu" });
  const conv = (x: Tensor, name: string, size: number, filters: number, options: Conv2dOptions): Tensor => {
    const shape = [size, size, x.shape[3], filters];
    return conv2d(x, x.graph.parameter(`${name}/kernel`, shape, glorotUniform, mode), options);
  };
  const denseBlock = denseBlocks === "fused" ? fusedDenseBlock : plainDenseBlock;

  let x = conv(image, "conv1/conv", 7, 64, { strides: 2, padding: { top: 3, bottom: 3, left: 3, right: 3 } });
  const conv1 = bnRelu(x, "conv1/bn");
  x = maxPool2d(conv1, { poolSize: 3, strides: 2, padding: { top: 1, bottom: 1, left: 1, right: 1 } });

  const taps: Tensor[] = [];
  BLOCKS.forEach((layers, block) => {
    const options = { ...mode, layers, growth: GROWTH, epsilon: EPSILON, momentum };
    const y = denseBlock(x, `conv${block + 2}`, options);
    const last = block === BLOCKS.length - 1;
    const name = `pool${block + 2}`;
    const tap = bnRelu(y, last ? "bn" : `${name}_bn`);
    taps.push(tap);
    if (last) return;
    // The pooling commutes with the convolution, which Keras has first, and leaves it a quarter of the pixels.
    const pooled = averagePool2d(tap, { poolSize: 2, strides: 2, padding: "valid" });
    x = conv(pooled, `${name}_conv`, 1, tap.shape[3] / 2, { strides: 1, padding: "valid" });
  });

  const [pool2, pool3, pool4, relu] = taps;
  const classify = (): Tensor => {
    const kernel = image.graph.parameter("fc1000/kernel", [relu.shape[3], 1000], glorotUniform, mode);
    const bias = image.graph.parameter("fc1000/bias", [1000], zeros, mode);
    return dense(globalAveragePool2d(relu), kernel, bias);
  };
  return {
    skips: { "conv1/relu": conv1, pool2_relu: pool2, pool3_relu: pool3, pool4_relu: pool4, relu },
    top: top ? classify() : null,
  };
}
