/**
 * @file bespoke, the engine: what `import … from "bespoke"` gives. A graph of tensors, ops with their gradients,
 * optimizers, and `compile`, which makes a program of it for a GPU; Keras layers on top; and below, what it takes to add
 * kernels and ops of one's own. Imports nothing of Node's: it runs wherever WebGPU does. What needs Node (opening a GPU
 * through Dawn, files, training runs) is in `bespoke/node`.
 */

// The device.
export { Gpu } from "./gpu/gpu.ts";
export type { GpuOptions } from "./gpu/gpu.ts";
export { GpuError } from "./gpu/errors.ts";
export type { GpuErrorKind } from "./gpu/errors.ts";
export type { DispatchTime } from "./gpu/profiler.ts";

// Graphs, and programs made of them.
export { Graph, partValues, variableParts } from "./graph/graph.ts";
export type {
  Node,
  ParameterOptions,
  Tensor,
  Variable,
  VariableOptions,
  VariablePart,
} from "./graph/graph.ts";
export { bytesOf, sameShape, shapeText, sizeOf } from "./graph/shape.ts";
export type { DType, Numbers, Shape, TensorType } from "./graph/shape.ts";
export { constant, glorotUniform, ones, randomNormal, seededRandom, zeros } from "./graph/initializers.ts";
export type { Initializer, Random } from "./graph/initializers.ts";
export { gradients, trainable } from "./graph/gradients.ts";
export { compile } from "./graph/compile.ts";
export { Program } from "./graph/program.ts";
export type { CompileOptions } from "./graph/compile.ts";
export type { Feeds, InputTypes, Results } from "./graph/program.ts";
export { plan } from "./graph/plan.ts";
export type { Goals, NamedTypes, Plan, PlanSummary } from "./graph/plan.ts";
export { kernelTimes, printKernelTimes } from "./graph/profile.ts";
export type { KernelTime } from "./graph/profile.ts";
export { describeMemoryPlan } from "./graph/memory-plan.ts";
export type { MemoryPlan } from "./graph/memory-plan.ts";
export { Variables } from "./graph/variables.ts";
export type { VariableValues } from "./graph/variables.ts";

// Ops.
export { accuracy } from "./graph/ops/accuracy.ts";
export { activation } from "./graph/ops/activation.ts";
export type { ActivationKind } from "./kernels/text/activation.ts";
export { add } from "./graph/ops/add.ts";
export { addN } from "./graph/ops/add-n.ts";
export { affine } from "./graph/ops/affine.ts";
export { affineConstants } from "./graph/ops/affine-constants.ts";
export { argmax } from "./graph/ops/argmax.ts";
export { batchNormInference, batchNormTraining } from "./graph/ops/batch-norm.ts";
export type { BatchNormOptions, BatchNormTrainingOptions } from "./graph/ops/batch-norm.ts";
export { divide, maximum, minimum, multiply, power, subtract } from "./graph/ops/binary.ts";
export { biasAdd } from "./graph/ops/bias.ts";
export { cast } from "./graph/ops/cast.ts";
export { channelSum } from "./graph/ops/channel-reduction.ts";
export { clipByGlobalNorm } from "./graph/ops/clip-by-global-norm.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual, where } from "./graph/ops/compare.ts";
export { concat, sliceChannels } from "./graph/ops/concat.ts";
export { confusionMatrix } from "./graph/ops/confusion-matrix.ts";
export type { ConfusionMatrixOptions } from "./graph/ops/confusion-matrix.ts";
export { conv2d } from "./graph/ops/conv2d.ts";
export type { Conv2dOptions } from "./graph/ops/conv2d.ts";
export { conv2dTranspose } from "./graph/ops/conv2d-transpose.ts";
export type { Images } from "./graph/lowering/conv2d-products.ts";
export type { Conv2dTransposeOptions } from "./graph/ops/conv2d-transpose.ts";
export { crossEntropyAndAccuracy } from "./graph/ops/cross-entropy-and-accuracy.ts";
export type {
  CountedMeanOptions,
  CrossEntropyOptions,
  LossAndAccuracy,
} from "./graph/ops/cross-entropy-and-accuracy.ts";
export { dense } from "./graph/ops/dense.ts";
export { depthwiseConv2d } from "./graph/ops/depthwise-conv2d.ts";
export { diceLoss } from "./graph/ops/dice-loss.ts";
export { dropout } from "./graph/ops/dropout.ts";
export type { DropoutOptions } from "./graph/ops/dropout.ts";
export { elementwise } from "./graph/ops/elementwise.ts";
export type { ElementwiseOptions, TensorOrNumber } from "./graph/ops/elementwise.ts";
export { fill } from "./graph/ops/fill.ts";
export { focalLoss } from "./graph/ops/focal-loss.ts";
export type { FocalLossOptions } from "./graph/ops/focal-loss.ts";
export { globalNorm } from "./graph/ops/global-norm.ts";
export { lovaszSoftmax } from "./graph/ops/lovasz-softmax.ts";
export type { LovaszSoftmaxOptions } from "./graph/ops/lovasz-softmax.ts";
export { matmul } from "./graph/ops/matmul.ts";
export type { MatmulOptions } from "./graph/ops/matmul.ts";
export { multiplyChannels } from "./graph/ops/multiply-channels.ts";
export { crop2d, zeroPad2d } from "./graph/ops/pad2d.ts";
export type { Sides } from "./graph/ops/pad2d.ts";
export type { PixelMeanOptions } from "./graph/lowering/pixel-mean.ts";
export { averagePool2d, globalAveragePool2d, maxPool2d } from "./graph/ops/pool.ts";
export type { Pool2dOptions } from "./kernels/text/pool2d-geometry.ts";
export type { Padding } from "./kernels/text/window.ts";
export { part } from "./graph/ops/part.ts";
export { pixelCount } from "./graph/ops/pixel-count.ts";
export { max, mean, min, sum } from "./graph/ops/reduce.ts";
export type { ReductionOptions } from "./graph/ops/reduction.ts";
export { relu } from "./graph/ops/relu.ts";
export { reshape } from "./graph/ops/reshape.ts";
export { scale } from "./graph/ops/scale.ts";
export { softmax } from "./graph/ops/softmax.ts";
export { sparseSoftmaxCrossEntropy } from "./graph/ops/sparse-softmax-cross-entropy.ts";
export type { SparseSoftmaxCrossEntropyOptions } from "./graph/ops/sparse-softmax-cross-entropy.ts";
export { standardize } from "./graph/ops/standardize.ts";
export { stopGradient } from "./graph/ops/stop-gradient.ts";
export { transpose } from "./graph/ops/transpose.ts";
export { tverskyLoss } from "./graph/ops/tversky-loss.ts";
export type { RegionLossOptions, TverskyLossOptions } from "./graph/ops/tversky-loss.ts";
export { upsampleBilinear2x } from "./graph/ops/upsample-bilinear2x.ts";
export {
  abs,
  cos,
  erf,
  exp,
  floor,
  gelu,
  log,
  negative,
  reciprocal,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  tanh,
} from "./graph/ops/unary.ts";
export { upsampleNearest2x } from "./graph/ops/upsample-nearest2x.ts";
export { upsampledConv2d } from "./graph/ops/upsampled-conv2d.ts";
export type { UpsampledConv2dOptions } from "./graph/ops/upsampled-conv2d.ts";

// Optimizers.
export { adam } from "./graph/optimizers/adam.ts";
export type { AdamOptions } from "./graph/optimizers/adam.ts";
export { adamw } from "./graph/optimizers/adamw.ts";
export type { AdamWOptions } from "./graph/optimizers/adamw.ts";
export { exponentialMovingAverage } from "./graph/optimizers/exponential-moving-average.ts";
export type { ExponentialMovingAverageOptions } from "./graph/optimizers/exponential-moving-average.ts";
export { lossScaling } from "./graph/optimizers/loss-scaling.ts";
export type { CheckedGradients, LossScaling, LossScalingOptions } from "./graph/optimizers/loss-scaling.ts";
export { rmsprop } from "./graph/optimizers/rmsprop.ts";
export type { RmspropOptions } from "./graph/optimizers/rmsprop.ts";
export { sgd } from "./graph/optimizers/sgd.ts";
export type { SgdOptions } from "./graph/optimizers/sgd.ts";
export type { OptimizerOptions, WeightDecayOptions } from "./graph/optimizers/optimizer.ts";

// Layers.
export { batchNormalization } from "./layers/batch-normalization.ts";
export type { BatchNormalizationOptions } from "./layers/batch-normalization.ts";
export { encode } from "./layers/encoder.ts";
export type { EncoderOptions, EncoderResult } from "./layers/encoder.ts";
export { isDecoderGroup, skipsOf, unet, unetDecoder, unetEncoder } from "./layers/unet.ts";
export type { Skips, UNetOptions } from "./layers/unet.ts";

// Networks as lists of layers.
export { buildLayers } from "./layers/networks/build.ts";
export type { BuildOptions } from "./layers/networks/build.ts";
export type { Decoder } from "./layers/networks/decoder.ts";
export type { Encoder } from "./layers/networks/encoder.ts";
export { encoderNamed, ENCODERS } from "./layers/networks/encoders.ts";
export type { Layer, LayerOperation, LayerWeight } from "./layers/networks/layer.ts";
export { LayerList } from "./layers/networks/layer-list.ts";
export { unetLayers } from "./layers/networks/unet.ts";
export type { Skip, UnetLayersOptions } from "./layers/networks/unet.ts";
export type { Mode } from "./layers/layer.ts";

// Kernels and ops of one's own.
export { defineKernel, f32, i32, linearGrid, linearIndex, u32 } from "./kernels/kernel.ts";
export type { Kernel, KernelBinding, KernelDefinition, KernelTarget, Uniform } from "./kernels/kernel.ts";
export type { Step } from "./kernels/text/value.ts";
export { perItemKernel } from "./kernels/text/per-item.ts";
export { kernelTarget } from "./graph/kernel-target.ts";
export { slice } from "./graph/op.ts";
export type {
  BatchRange,
  BatchSlice,
  Formula,
  Lowering,
  NumberFunction,
  Op,
  OpFamily,
  Operand,
  Scratch,
  Together,
} from "./graph/op.ts";
export { lowerElementwise } from "./graph/lowering/elementwise.ts";
export { lowerPixelMean } from "./graph/lowering/pixel-mean.ts";
