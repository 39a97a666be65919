/**
 * @file What `import … from "bespoke/layers"` gives: Keras layers, which make their variables themselves under Keras's names. Imports nothing
 * of Node's.
 */
export { sequential } from "./layers/keras/sequential.ts";
export type { Sequential, SequentialOptions } from "./layers/keras/sequential.ts";
export { dense } from "./layers/keras/dense.ts";
export type { KernelOptions } from "./layers/keras/dense.ts";
export { conv2d, conv2dTranspose, depthwiseConv2d, separableConv2d } from "./layers/keras/convolution.ts";
export type {
  Conv2dLayerOptions,
  Conv2dTransposeLayerOptions,
  DepthwiseConv2dLayerOptions,
  Pair,
  SeparableConv2dLayerOptions,
  WindowOptions,
} from "./layers/keras/convolution.ts";
export { averagePooling2d, globalAveragePooling2d, maxPooling2d } from "./layers/keras/pooling.ts";
export type { GlobalPoolingOptions, PoolingOptions } from "./layers/keras/pooling.ts";
export { flatten, reshape } from "./layers/keras/shape.ts";
export { activation } from "./layers/keras/activation.ts";
export type { Activation } from "./layers/keras/activation.ts";
export { dropout } from "./layers/keras/dropout.ts";
export type { DropoutLayerOptions } from "./layers/keras/dropout.ts";
export { batchNormalization, groupNormalization, layerNormalization } from "./layers/keras/normalization.ts";
export type {
  BatchNormalizationOptions,
  GroupNormalizationLayerOptions,
  NormalizationOptions,
} from "./layers/keras/normalization.ts";
export { embedding } from "./layers/keras/embedding.ts";
export type { EmbeddingOptions } from "./layers/keras/embedding.ts";
export { multiHeadAttention } from "./layers/keras/multi-head-attention.ts";
export type { AttentionCall, MultiHeadAttentionOptions } from "./layers/keras/multi-head-attention.ts";

// Layers of one's own.
export { defineLayer } from "./layers/keras/layer.ts";
export type { CallOptions, Layer, LayerOptions, LayerResult, LayerScope } from "./layers/keras/layer.ts";
