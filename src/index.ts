/**
 * @file bespoke, the engine: what `import … from "bespoke"` gives. A graph of tensors, ops with their gradients,
 * optimizers, and `compile`, which makes a program of it for a GPU; and below, what it takes to add kernels and ops of one's
 * own. Imports nothing of Node's: it runs wherever WebGPU does. Functions of neural networks are in `bespoke/nn`, Keras
 * layers in `bespoke/layers`, whole networks in `bespoke/networks`; what needs Node (opening a GPU through Dawn, files,
 * training runs) in `bespoke/node` and `bespoke/train`.
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
  PartValues,
  Tensor,
  Variable,
  VariableOptions,
  VariablePart,
} from "./graph/graph.ts";
export { bytesOf, sameShape, shapeText, sizeOf } from "./graph/shape.ts";
export type { DType, Numbers, Shape, TensorType } from "./graph/shape.ts";
export {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
  ones,
  orthogonal,
  randomNormal,
  randomUniform,
  seededRandom,
  truncatedNormal,
  varianceScaling,
  zeros,
} from "./graph/initializers.ts";
export type { Initializer, Random, VarianceScalingOptions } from "./graph/initializers.ts";
export { gradients, trainable } from "./graph/gradients.ts";
export { compile } from "./graph/compile.ts";
export { Program } from "./graph/program.ts";
export type { CompileOptions } from "./graph/compile.ts";
export type { RunOptions } from "./graph/tap-reader.ts";
export { BatchPrograms } from "./graph/batch-programs.ts";
export type { BatchCompileOptions, BatchProgramsOptions } from "./graph/batch-programs.ts";
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
export { activation } from "./graph/ops/activation.ts";
export type { ActivationKind } from "./kernels/text/activation.ts";
export { add } from "./graph/ops/add.ts";
export { addN } from "./graph/ops/add-n.ts";
export { argmax } from "./graph/ops/argmax.ts";
export type { ArgmaxOptions } from "./graph/ops/argmax.ts";
export { divide, maximum, minimum, multiply, power, subtract } from "./graph/ops/binary.ts";
export { cast } from "./graph/ops/cast.ts";
export { clipByGlobalNorm } from "./graph/ops/clip-by-global-norm.ts";
export type { ClippedGradients } from "./graph/ops/clip-by-global-norm.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual, where } from "./graph/ops/compare.ts";
export { concat, sliceChannels } from "./graph/ops/concat.ts";
export type { ConcatOptions } from "./graph/ops/concat.ts";
export { elementwise } from "./graph/ops/elementwise.ts";
export type { ElementwiseOptions, TensorOrNumber } from "./graph/ops/elementwise.ts";
export { fill } from "./graph/ops/fill.ts";
export { embedding, gather } from "./graph/ops/gather.ts";
export type { GatherOptions } from "./graph/ops/gather.ts";
export { globalNorm } from "./graph/ops/global-norm.ts";
export { matmul } from "./graph/ops/matmul.ts";
export type { MatmulOptions } from "./graph/ops/matmul.ts";
export { oneHot } from "./graph/ops/one-hot.ts";
export { pad } from "./graph/ops/pad.ts";
export type { AxisPadding } from "./graph/ops/box.ts";
export { part } from "./graph/ops/part.ts";
export { max, mean, min, sum } from "./graph/ops/reduce.ts";
export type { ReductionOptions } from "./graph/ops/reduction.ts";
export { relu } from "./graph/ops/relu.ts";
export { expandDims, reshape, squeeze } from "./graph/ops/reshape.ts";
export { scale } from "./graph/ops/scale.ts";
export { slice } from "./graph/ops/slice.ts";
export { split, stack, unstack } from "./graph/ops/split.ts";
export type { AxisOptions } from "./graph/ops/split.ts";
export { stopGradient } from "./graph/ops/stop-gradient.ts";
export { transpose } from "./graph/ops/transpose.ts";
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

// Kernels and ops of one's own.
export { defineKernel, f32, i32, linearGrid, linearIndex, u32 } from "./kernels/kernel.ts";
export type { Kernel, KernelBinding, KernelDefinition, KernelTarget, Uniform } from "./kernels/kernel.ts";
export type { Step } from "./kernels/text/value.ts";
export { perItemKernel } from "./kernels/text/per-item.ts";
export { kernelTarget } from "./graph/kernel-target.ts";
export { batchSlice } from "./graph/op.ts";
export type {
  BatchRange,
  BatchSlice,
  Formula,
  JoinedPart,
  Lowering,
  NumberFunction,
  Op,
  OpFamily,
  Operand,
  Rewriting,
  Scratch,
  Together,
} from "./graph/op.ts";
export { lowerElementwise } from "./graph/lowering/elementwise.ts";
export { lowerPixelMean } from "./graph/lowering/pixel-mean.ts";
export type { PixelMeanOptions } from "./graph/lowering/pixel-mean.ts";
