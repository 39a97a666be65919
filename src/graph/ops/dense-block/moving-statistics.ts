import { moveStackedMoments } from "../../../kernels/move-stacked-moments.ts";
import type { Tensor } from "../../graph.ts";
import type { NormStacks } from "./dense-block.ts";
import type { DenseBlockShape } from "./shape.ts";

/**
 * Moves the moving statistics of all layers towards the batch's. With `shared`, the block's shape, `mean` and `variance`
 * are those of the block's channels, of which each layer has as many as it reads; otherwise each layer has its own.
 */
export function updateMovingStatistics(
  { mean, variance }: { mean: Tensor; variance: Tensor },
  { movingMean, movingVariance }: NormStacks,
  momentum: number,
  shared?: DenseBlockShape,
): void {
  for (const { name, variable } of [movingMean, movingVariance]) {
    if (!variable) throw new Error(`"${name}" must be a variable to hold moving statistics.`);
  }
  const layers = shared
    ? { channels: shared.channels, growth: shared.growth }
    : { channels: mean.shape[0], growth: 0 };
  mean.graph.apply(
    {
      name: "update_moving_statistics",
      outputs: [],
      updates: [movingMean, movingVariance],
      automatic: true,
      lower: (l) => {
        const kernel = moveStackedMoments(l.target, movingMean.shape[0], momentum, layers);
        l.dispatch(kernel, { mean, variance, movingMean, movingVariance });
      },
    },
    [mean, variance, movingMean, movingVariance],
  );
}
