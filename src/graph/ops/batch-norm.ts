import {
  batchNormForward,
  batchNormInputGradient,
  batchNormParameterGradients,
} from "../../kernels/batch-norm.ts";
import type { BatchNormKernelOptions } from "../../kernels/batch-norm.ts";
import type { Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { checkChannels, mergeSums, reductionParts, rowsPerItem } from "./channel-reduction.ts";
import { channelMoments } from "./moments.ts";
import { updateMovingStatistics } from "./moving-statistics.ts";

export interface BatchNormOptions {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Applied to the result in the same kernels, forward and backward. */
  readonly activation?: "relu";
}

export interface BatchNormTrainingOptions extends BatchNormOptions {
  /** Share of the moving statistics that a step keeps. */
  readonly momentum: number;
}

/**
 * Batch norm with given statistics (Keras `BatchNormalization`, `training=False`; `tf.nn.batch_normalization`):
 * `γ·(x − movingMean) / sqrt(movingVariance + ε) + β` over the last axis of `x` `[N, .., C]`; the rest `[C]`.
 *
 * x, γ and β have gradients, the statistics none.
 *
 * @throws Error when the channels do not fit.
 */
export function batchNormInference(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  movingMean: Tensor,
  movingVariance: Tensor,
  { epsilon, activation }: BatchNormOptions,
): Tensor {
  checkChannels("batchNormInference", x, [gamma, beta, movingMean, movingVariance]);
  const norm = { x, gamma, beta, mean: movingMean, variance: movingVariance };
  return normalize(norm, { epsilon, activation }, "constants");
}

/**
 * Batch norm with the statistics of the batch (Keras `BatchNormalization`, `training=True`): {@link batchNormInference}
 * with mean and biased variance of x over all its axes but the last, through which the gradient flows.
 *
 * Any program that computes the result also moves `movingMean` and `movingVariance` `[C]`, which must be variables:
 * `moving · momentum + batch · (1 − momentum)`, of the biased variance, as Keras 3 and tfjs do it (the fused kernel of
 * TensorFlow multiplies it by n/(n − 1) first).
 *
 * @throws Error when the channels do not fit, or the moving statistics are not variables.
 */
export function batchNormTraining(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  movingMean: Tensor,
  movingVariance: Tensor,
  { epsilon, momentum, activation }: BatchNormTrainingOptions,
): Tensor {
  checkChannels("batchNormTraining", x, [gamma, beta, movingMean, movingVariance]);
  const { mean, variance } = channelMoments(x);
  updateMovingStatistics({ moments: { mean, variance }, movingMean, movingVariance, momentum });
  return normalize({ x, gamma, beta, mean, variance }, { epsilon, activation }, "moments of x");
}

interface Norm {
  readonly x: Tensor;
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** What mean and variance are to the gradient. */
type Statistics = "constants" | "moments of x";

function normalize(norm: Norm, options: BatchNormKernelOptions, statistics: Statistics): Tensor {
  const { x, gamma, beta, mean, variance } = norm;
  return x.graph.apply(
    {
      name: "batch_norm",
      family: "normalization",
      outputs: [x],
      // The gradient by x accounts for what x does to its own moments.
      ...(statistics === "moments of x" && { constants: [mean, variance] }),
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = batchNormForward(l.target, range.count * rowsPerItem(x), mean.shape[0], options);
          l.dispatch(kernel, { ...norm, x: slice(x, range), y: slice(y, range) });
        }
      },
      gradient([dy]) {
        let made: ParameterGradients | undefined;
        const parameters = (): ParameterGradients => (made ??= parameterGradients(norm, dy!, options));
        return [
          () => inputGradient(norm, dy!, options, statistics === "constants" ? null : parameters()),
          () => parameters().dgamma,
          () => parameters().dbeta,
          null,
          null,
        ];
      },
    },
    [x, gamma, beta, mean, variance],
  ).outputs[0];
}

interface ParameterGradients {
  readonly dgamma: Tensor;
  readonly dbeta: Tensor;
}

function parameterGradients(norm: Norm, dy: Tensor, options: BatchNormKernelOptions): ParameterGradients {
  const { x, gamma, beta, mean, variance } = norm;
  const relu = options.activation === "relu";
  const node = x.graph.apply(
    {
      name: "batch_norm_parameter_gradients",
      family: "normalization",
      outputs: [gamma, beta],
      lower(l, [dgamma, dbeta]) {
        const { parts, partialCount, channels } = reductionParts(l, [x, dy]);
        const partials = [l.scratch(4 * partialCount * channels), l.scratch(4 * partialCount * channels)];
        for (const { range, walk, firstPartial } of parts) {
          l.dispatch(batchNormParameterGradients(walk, firstPartial, options), {
            x: slice(x, range),
            dy: slice(dy, range),
            mean,
            variance,
            ...(relu ? { gamma, beta } : {}),
            dgamma: partials[0],
            dbeta: partials[1],
          });
        }
        mergeSums(l, partialCount, channels, partials, [dgamma, dbeta]);
      },
    },
    [x, dy, mean, variance, ...(relu ? [gamma, beta] : [])],
  );
  return { dgamma: node.outputs[0], dbeta: node.outputs[1] };
}

/** `through`: the gradients of γ and β where the statistics depend on x, else `null`. */
function inputGradient(
  norm: Norm,
  dy: Tensor,
  options: BatchNormKernelOptions,
  through: ParameterGradients | null,
): Tensor {
  const { x, gamma, beta, mean, variance } = norm;
  const relu = options.activation === "relu";
  const usesX = relu || through !== null;
  const large: Record<string, Tensor> = usesX ? { x, dy } : { dy };
  const vectors: Record<string, Tensor> = {
    variance,
    gamma,
    ...(usesX ? { mean } : {}),
    ...(relu ? { beta } : {}),
    ...through,
  };
  return x.graph.apply(
    {
      name: "batch_norm_input_gradient",
      family: "normalization",
      outputs: [x],
      lower(l, [dx]) {
        const batchRows = through ? sizeOf(x.shape.slice(0, -1)) : undefined;
        for (const range of l.slices([x, dy, dx])) {
          const rows = range.count * rowsPerItem(x);
          const sliced = Object.entries(large).map(([name, tensor]) => [name, slice(tensor, range)] as const);
          l.dispatch(batchNormInputGradient(l.target, rows, gamma.shape[0], { ...options, batchRows }), {
            ...vectors,
            ...Object.fromEntries(sliced),
            dx: slice(dx, range),
          });
        }
      },
    },
    [...Object.values(large), ...Object.values(vectors)],
  ).outputs[0];
}
