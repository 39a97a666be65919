import type { ActivationKind } from "../../kernels/text/activation.ts";
import { productsAndNorms } from "../fuse/products-and-norms.ts";
import type { Tensor } from "../graph.ts";
import {
  inputGradientOperands,
  lowerBatchNorm,
  lowerInputGradient,
  lowerParameterGradients,
} from "../lowering/batch-norm.ts";
import type { Norm, ParameterGradients } from "../lowering/batch-norm.ts";
import { affine } from "./affine.ts";
import { checkChannels } from "./channel-reduction.ts";
import { updateMovingStatistics } from "./moving-statistics.ts";
import type { Momentum } from "./moving-statistics.ts";
import { channelMoments } from "./moments.ts";
import { standardize } from "./standardize.ts";
import type { DType } from "../shape.ts";

/** Of a batch norm with given statistics. */
export interface BatchNormOptions {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Applied to the result; linear by default. */
  readonly activation?: ActivationKind | undefined;
}

/** Of a batch norm with the statistics of the batch. */
export interface BatchNormTrainingOptions extends BatchNormOptions {
  /** Share of the moving statistics that a step keeps, a number or a scalar tensor; Keras's default is 0.99. */
  readonly momentum: Momentum;
}

/**
 * Batch norm with given statistics (Keras `BatchNormalization`, `training=False`; `tf.nn.batch_normalization`):
 * `γ·(x − movingMean) / sqrt(movingVariance + ε) + β` over the last axis of `x` `[N, .., C]`; the rest `[C]`.
 *
 * x, γ and β have gradients, the statistics none.
 *
 * @throws Error when the channels do not fit.
 */
export function batchNormInference<D extends DType>(
  x: Tensor<D>,
  gamma: Tensor,
  beta: Tensor,
  movingMean: Tensor,
  movingVariance: Tensor,
  options: BatchNormOptions,
): Tensor<D> {
  checkChannels("batchNormInference", x, [gamma, beta, movingMean, movingVariance]);
  const norm = { x, gamma, beta, mean: movingMean, variance: movingVariance };
  return x.graph.apply(
    {
      name: "batch_norm",
      family: "normalization",
      outputs: [x],
      pattern: {
        kind: "batchNorm",
        norm,
        epsilon: options.epsilon,
        activation: options.activation ?? "linear",
      },
      rewriting: productsAndNorms,
      lower: (l, [y]) => lowerBatchNorm(l, norm, options, y),
      gradient([dy]) {
        let made: ParameterGradients | undefined;
        const parameters = (): ParameterGradients => (made ??= parameterGradients(norm, dy!, options));
        return [
          () => inputGradient(norm, dy!, options),
          () => parameters().dgamma,
          () => parameters().dbeta,
          null,
          null,
        ];
      },
    },
    [x, gamma, beta, movingMean, movingVariance],
  ).outputs[0];
}

/**
 * Batch norm with the statistics of the batch (Keras `BatchNormalization`, `training=True`): {@link batchNormInference}
 * with mean and biased variance of x over all its axes but the last, through which the gradient flows.
 *
 * It is built of {@link standardize} and {@link affine}, which a program runs together with what stands around them.
 *
 * Any program that computes the result also moves `movingMean` and `movingVariance` `[C]`, which must be variables or parts
 * of them: `moving · momentum + batch · (1 − momentum)`, of the biased variance, as Keras 3 and tfjs do it (the fused kernel
 * of TensorFlow multiplies it by n/(n − 1) first).
 *
 * @throws Error when the channels do not fit, or the moving statistics are not variables.
 */
export function batchNormTraining<D extends DType>(
  x: Tensor<D>,
  gamma: Tensor,
  beta: Tensor,
  movingMean: Tensor,
  movingVariance: Tensor,
  { epsilon, momentum, activation }: BatchNormTrainingOptions,
): Tensor<D> {
  checkChannels("batchNormTraining", x, [gamma, beta, movingMean, movingVariance]);
  const z = affine(standardize(x, epsilon), gamma, beta, activation);
  updateMovingStatistics({ moments: channelMoments(x), movingMean, movingVariance, momentum, norm: z });
  return z;
}

function parameterGradients(norm: Norm, dy: Tensor, options: BatchNormOptions): ParameterGradients {
  const { x, gamma, beta, mean, variance } = norm;
  const vector = { shape: gamma.shape, dtype: "f32" } as const;
  const node = x.graph.apply(
    {
      name: "batch_norm_parameter_gradients",
      family: "normalization",
      outputs: [vector, vector],
      lower: (l, [dgamma, dbeta]) => lowerParameterGradients(l, norm, dy, options, { dgamma, dbeta }),
    },
    [x, dy, mean, variance, gamma, beta],
  );
  return { dgamma: node.outputs[0], dbeta: node.outputs[1] };
}

function inputGradient(norm: Norm, dy: Tensor, options: BatchNormOptions): Tensor {
  const { large, vectors } = inputGradientOperands(norm, dy, options, null);
  return norm.x.graph.apply(
    {
      name: "batch_norm_input_gradient",
      family: "normalization",
      outputs: [norm.x],
      lower: (l, [dx]) => lowerInputGradient(l, norm, dy, options, null, dx),
    },
    [...Object.values(large), ...Object.values(vectors)],
  ).outputs[0];
}
