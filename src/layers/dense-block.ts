/** @file The dense blocks of DenseNet121 under Keras's names, as one op or layer by layer. */
import type { Tensor, VariablePart } from "../graph/graph.ts";
import { glorotUniform, ones, zeros } from "../graph/initializers.ts";
import { concat } from "../graph/ops/concat.ts";
import { conv2d } from "../graph/ops/conv2d.ts";
import { denseBlock } from "../graph/ops/dense-block/dense-block.ts";
import type { NormStacks } from "../graph/ops/dense-block/parameters.ts";
import type { Shape } from "../graph/shape.ts";
import { batchNormalization } from "./batch-normalization.ts";
import type { Mode } from "./layer.ts";

export interface DenseBlockLayerOptions extends Mode {
  readonly layers: number;
  /** Channels that each layer adds; its first convolution has four times as many. */
  readonly growth: number;
  readonly epsilon: number;
  readonly momentum: number;
}

/**
 * Layers `<name>_block1` to `<name>_block{layers}`, each batch norm, ReLU, 1×1 convolution, batch norm, ReLU, 3×3 convolution
 * (`_0_bn`, `_1_conv`, `_1_bn`, `_2_conv`), as one op whose parameters are stacked. `[N, H, W, C]` becomes
 * `[N, H, W, C + layers·growth]`; all channels must be multiples of 4.
 */
export function fusedDenseBlock(x: Tensor, name: string, options: DenseBlockLayerOptions): Tensor {
  const { training, trainable, group, layers, growth, epsilon, momentum } = options;
  const bottleneck = 4 * growth;
  const inputs = (layer: number): number => x.shape[3] + layer * growth;
  const parts = (
    suffix: string,
    shape: (layer: number) => Shape,
    initializer: VariablePart["initializer"],
  ): VariablePart[] =>
    Array.from({ length: layers }, (_, layer) => ({
      name: `${name}_block${layer + 1}_${suffix}`,
      shape: shape(layer),
      initializer,
    }));
  const parameter = (...part: Parameters<typeof parts>): Tensor =>
    x.graph.stackedParameter(`${name}/${part[0]}`, parts(...part), { trainable, group });
  const state = (...part: Parameters<typeof parts>): Tensor =>
    x.graph.stackedState(`${name}/${part[0]}`, parts(...part), { group });
  const norm = (suffix: string, shape: (layer: number) => Shape): NormStacks => ({
    gamma: parameter(`${suffix}/gamma`, shape, ones),
    beta: parameter(`${suffix}/beta`, shape, zeros),
    movingMean: state(`${suffix}/moving_mean`, shape, zeros),
    movingVariance: state(`${suffix}/moving_variance`, shape, ones),
  });
  const parameters = {
    norm1: norm("0_bn", (layer) => [inputs(layer)]),
    kernel1: parameter("1_conv/kernel", (layer) => [1, 1, inputs(layer), bottleneck], glorotUniform),
    norm2: norm("1_bn", () => [bottleneck]),
    kernel2: parameter("2_conv/kernel", () => [3, 3, bottleneck, growth], glorotUniform),
  };
  return denseBlock(x, parameters, {
    layers,
    growth,
    bottleneck,
    epsilon,
    momentum: training && trainable ? momentum : null,
  });
}

/**
 * {@link fusedDenseBlock} as a composition of ops, every normalized tensor and every concatenation in memory of its own:
 * the reference for the other, and for blocks that it does not take.
 */
export function plainDenseBlock(x: Tensor, name: string, options: DenseBlockLayerOptions): Tensor {
  const { layers, growth, ...rest } = options;
  const conv = (input: Tensor, conv: string, size: number, filters: number): Tensor => {
    const shape = [size, size, input.shape[3], filters];
    const kernel = x.graph.parameter(`${conv}/kernel`, shape, glorotUniform, rest);
    return conv2d(input, kernel, { strides: 1, padding: "same" });
  };
  const bnRelu = (input: Tensor, bn: string): Tensor =>
    batchNormalization(input, bn, { ...rest, activation: "relu" });
  let y = x;
  for (let layer = 1; layer <= layers; layer++) {
    const prefix = `${name}_block${layer}`;
    const bottleneck = conv(bnRelu(y, `${prefix}_0_bn`), `${prefix}_1_conv`, 1, 4 * growth);
    y = concat([y, conv(bnRelu(bottleneck, `${prefix}_1_bn`), `${prefix}_2_conv`, 3, growth)]);
  }
  return y;
}
