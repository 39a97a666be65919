import { moveMoments } from "../../kernels/move-moments.ts";
import { tensorsAtOnce } from "../../kernels/text/several-tensors.ts";
import type { Node, Tensor } from "../graph.ts";
import { together } from "../op.ts";
import type { Lowering } from "../op.ts";
import type { Moments } from "./moments.ts";

export interface MovingStatistics {
  /** Of the batch, `[C]`. */
  readonly moments: Moments;
  /** Variables `[C]`, or stacks of those of several layers. */
  readonly movingMean: Tensor;
  readonly movingVariance: Tensor;
  /** Share of the moving statistics that a step keeps. */
  readonly momentum: number;
  /**
   * Of stacks of layers that share their channels' moments: the first has `channels` of them, each of the next `growth`
   * more. By default there is one layer.
   */
  readonly layers?: { readonly channels: number; readonly growth: number };
}

/**
 * Moves the moving statistics towards the batch's, in every program that computes those: `moving · momentum + batch ·
 * (1 − momentum)`, of the biased variance, as Keras 3 and tfjs do it.
 *
 * @throws Error when the moving statistics are not variables.
 */
export function updateMovingStatistics(statistics: MovingStatistics): Node {
  const { moments, movingMean, movingVariance } = statistics;
  for (const { name, variable } of [movingMean, movingVariance]) {
    if (!variable) throw new Error(`"${name}" must be a variable to hold moving statistics.`);
  }
  return movingMean.graph.apply(
    {
      name: "update_moving_statistics",
      family: "normalization",
      outputs: [],
      updates: [movingMean, movingVariance],
      automatic: true,
      together: together(statistics, moveAll),
    },
    [moments.mean, moments.variance, movingMean, movingVariance],
  );
}

/** Buffers that one batch norm takes. */
const BUFFERS = 4;

function moveAll(l: Lowering, all: readonly MovingStatistics[]): void {
  const most = tensorsAtOnce(l.target, BUFFERS, 0);
  for (let first = 0; first < all.length; first += most) {
    const some = all.slice(first, first + most);
    const kernel = moveMoments(
      l.target,
      some.map(({ movingMean, moments, momentum, layers }) => ({
        count: movingMean.shape[0],
        momentum,
        channels: layers?.channels ?? moments.mean.shape[0],
        growth: layers?.growth ?? 0,
      })),
    );
    const operands = some.flatMap(({ moments, movingMean, movingVariance }, i) => [
      [`mean${i}`, moments.mean],
      [`variance${i}`, moments.variance],
      [`movingMean${i}`, movingMean],
      [`movingVariance${i}`, movingVariance],
    ]);
    l.dispatch(kernel, Object.fromEntries(operands) as Record<string, Tensor>);
  }
}
