/**
 * @file What `import … from "bespoke/nn"` gives: the functions of neural networks, from tensors to tensors, as `tf.nn` and
 * `torch.nn.functional` have them. Those of numbers as such, and activations, are in `bespoke`. Imports nothing of Node's.
 */

// Products.
export { dense } from "./graph/ops/dense.ts";
export { biasAdd } from "./graph/ops/bias.ts";
export { conv2d } from "./graph/ops/conv2d.ts";
export type { Conv2dOptions } from "./graph/ops/conv2d.ts";
export { conv2dTranspose } from "./graph/ops/conv2d-transpose.ts";
export type { Conv2dTransposeOptions } from "./graph/ops/conv2d-transpose.ts";
export { depthwiseConv2d } from "./graph/ops/depthwise-conv2d.ts";
export { upsampledConv2d } from "./graph/ops/upsampled-conv2d.ts";
export type { UpsampledConv2dOptions } from "./graph/ops/upsampled-conv2d.ts";
export type { Images } from "./graph/lowering/taps.ts";
export type { Padding, Sides } from "./kernels/text/window.ts";

// Pooling, and images of another size.
export { averagePool2d, globalAveragePool2d, maxPool2d } from "./graph/ops/pool.ts";
export type { Pool2dOptions } from "./kernels/text/pool2d-geometry.ts";
export { crop2d, zeroPad2d } from "./graph/ops/pad2d.ts";
export { upsampleBilinear2x } from "./graph/ops/upsample-bilinear2x.ts";
export { upsampleNearest2x } from "./graph/ops/upsample-nearest2x.ts";

// Norms and dropout.
export { batchNormInference, batchNormTraining } from "./graph/ops/batch-norm.ts";
export type { BatchNormOptions, BatchNormTrainingOptions } from "./graph/ops/batch-norm.ts";
export { synchronizedBatchNorm } from "./graph/ops/synchronized-batch-norm.ts";
export { MOMENT_GRADIENTS_OF_ALL, MOMENTS_OF_ALL } from "./graph/ops/synchronized-moments.ts";
export { layerNormalization } from "./graph/ops/layer-normalization.ts";
export type { LayerNormalizationOptions } from "./graph/ops/layer-normalization.ts";
export { groupNormalization } from "./graph/ops/group-normalization.ts";
export type { GroupNormalizationOptions } from "./graph/ops/group-normalization.ts";
export { standardize } from "./graph/ops/standardize.ts";
export { affine } from "./graph/ops/affine.ts";
export { affineConstants } from "./graph/ops/affine-constants.ts";
export { channelSum } from "./graph/ops/channel-reduction.ts";
export { multiplyChannels } from "./graph/ops/multiply-channels.ts";
export { dropout } from "./graph/ops/dropout.ts";
export type { DropoutOptions } from "./graph/ops/dropout.ts";
export { runCount } from "./graph/ops/run-count.ts";

// Losses.
export { attentionWeights, softmax } from "./graph/ops/softmax.ts";
export type { AttentionWeightsOptions } from "./graph/ops/softmax.ts";
export { sparseSoftmaxCrossEntropy } from "./graph/ops/sparse-softmax-cross-entropy.ts";
export type { SparseSoftmaxCrossEntropyOptions } from "./graph/ops/sparse-softmax-cross-entropy.ts";
export { crossEntropyAndAccuracy } from "./graph/ops/cross-entropy-and-accuracy.ts";
export type {
  CountedMeanOptions,
  CrossEntropyOptions,
  LossAndAccuracy,
} from "./graph/ops/cross-entropy-and-accuracy.ts";
export { diceLoss } from "./graph/ops/dice-loss.ts";
export { tverskyLoss } from "./graph/ops/tversky-loss.ts";
export type { RegionLossOptions, TverskyLossOptions } from "./graph/ops/tversky-loss.ts";
export { focalLoss } from "./graph/ops/focal-loss.ts";
export type { FocalLossOptions } from "./graph/ops/focal-loss.ts";
export { lovaszSoftmax } from "./graph/ops/lovasz-softmax.ts";
export type { LovaszSoftmaxOptions } from "./graph/ops/lovasz-softmax.ts";
export { huber, meanAbsoluteError, meanSquaredError } from "./graph/ops/regression-losses.ts";
export type { HuberOptions } from "./graph/ops/regression-losses.ts";
export { binaryCrossentropy, categoricalCrossentropy } from "./graph/ops/crossentropy.ts";
export type { CrossentropyOptions } from "./graph/ops/crossentropy.ts";
export type { LossOptions } from "./graph/ops/loss-reduction.ts";

// Metrics.
export { accuracy } from "./graph/ops/accuracy.ts";
export { confusionMatrix } from "./graph/ops/confusion-matrix.ts";
export type { ConfusionMatrixOptions } from "./graph/ops/confusion-matrix.ts";
export { pixelCount } from "./graph/ops/pixel-count.ts";
