import type { Tensor } from "../graph.ts";
import type { DType } from "../shape.ts";
import { activation as activate } from "./activation.ts";
import type { BatchNormTrainingOptions } from "./batch-norm.ts";
import { checkChannels } from "./channel-reduction.ts";
import { elementwise } from "./elementwise.ts";
import { channelMoments } from "./moments.ts";
import { updateMovingStatistics } from "./moving-statistics.ts";
import { synchronizedMoments } from "./synchronized-moments.ts";

/**
 * `batchNormTraining` with mean and biased variance of the batches of several processes together, as PyTorch's `SyncBatchNorm`
 * has it. Whoever runs the program brings them together (`RunOptions.onHost`, for `MOMENTS_OF_ALL` and `MOMENT_GRADIENTS_OF_ALL`); without, it
 * is the norm of the own batch. The loss of each process must be its part of one loss. It runs op by op and costs two stops of the
 * GPU, one in the forward pass and one in the backward pass.
 *
 * @throws Error when the channels do not fit, or the moving statistics are not variables.
 */
export function synchronizedBatchNorm<D extends DType>(
  x: Tensor<D>,
  gamma: Tensor,
  beta: Tensor,
  movingMean: Tensor,
  movingVariance: Tensor,
  { epsilon, momentum, activation = "linear" }: BatchNormTrainingOptions,
): Tensor<D> {
  checkChannels("synchronizedBatchNorm", x, [gamma, beta, movingMean, movingVariance]);
  const moments = synchronizedMoments(channelMoments(x));
  const { mean, variance } = moments;
  const normalized = elementwise(
    "normalize",
    "(a - b) * inverseSqrt(c + e)",
    { a: x, b: mean, c: variance, e: epsilon },
    {
      gradients: {
        a: "d * inverseSqrt(c + e)",
        b: "-d * inverseSqrt(c + e)",
        c: "-0.5 * d * (a - b) * inverseSqrt(c + e) / (c + e)",
      },
    },
  );
  const z = elementwise(
    "scale_and_shift",
    "a * b + c",
    { a: normalized, b: gamma, c: beta },
    { gradients: { a: "d * b", b: "d * a", c: "d" } },
  );
  const norm = (activation === "linear" ? z : activate(z, activation)) as Tensor<D>;
  updateMovingStatistics({ moments, movingMean, movingVariance, momentum, norm });
  return norm;
}
