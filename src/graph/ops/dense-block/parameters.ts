import type { Tensor } from "../../graph.ts";

/** γ, β and moving statistics of one batch norm of every layer, stacked: those of the first layer first. */
export interface NormStacks {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly movingMean: Tensor;
  readonly movingVariance: Tensor;
}

/** The parameters of all layers, stacked; C is the channels a layer reads, B the bottleneck, G the growth. */
export interface DenseBlockParameters {
  /** Before the 1×1 convolution; C numbers a layer. */
  readonly norm1: NormStacks;
  /** HWIO, C·B numbers a layer. */
  readonly kernel1: Tensor;
  /** Before the 3×3 convolution; B numbers a layer. */
  readonly norm2: NormStacks;
  /** HWIO, 9·B·G numbers a layer. */
  readonly kernel2: Tensor;
}
