import { moveMoments } from "../../kernels/move-moments.ts";
import { tensorsAtOnce } from "../../kernels/text/several-tensors.ts";
import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { together } from "../op.ts";
import type { Lowering, Operand } from "../op.ts";
import type { Moments } from "./moments.ts";

/**
 * Share of the moving statistics that a step keeps. A number makes an exponential moving average of the batches' moments. A scalar tensor `[]`
 * pools their values: with (k − 1)/k for the k-th of equal batches, mean and variance become those of all values of the k batches together.
 */
export type Momentum = number | Tensor;

export interface MovingStatistics {
  /** Of the batch, `[C]`. */
  readonly moments: Moments;
  /** Variables `[C]`, or parts of them. */
  readonly movingMean: Tensor;
  readonly movingVariance: Tensor;
  readonly momentum: Momentum;
  /** The result of the batch norm that they are of. */
  readonly norm: Tensor;
}

/**
 * Moves the moving statistics towards the batch's, in every program that computes those: `moving · momentum + batch ·
 * (1 − momentum)`, of the biased variance, as Keras 3 and tfjs do it, or pooled (see {@link Momentum}).
 *
 * @throws Error when the moving statistics are not variables.
 */
export function updateMovingStatistics(statistics: MovingStatistics): Node {
  const { moments, movingMean, movingVariance, momentum } = statistics;
  const updates = [movingMean, movingVariance];
  for (const { name, variable } of updates.map(storageOf)) {
    if (!variable) throw new Error(`"${name}" must be a variable to hold moving statistics.`);
  }
  return movingMean.graph.apply(
    {
      name: "update_moving_statistics",
      family: "normalization",
      outputs: [],
      updates,
      automatic: true,
      pattern: { kind: "movingStatistics", ...statistics },
      together: together(movedOf(statistics), moveAll),
    },
    [moments.mean, moments.variance, movingMean, movingVariance, ...fedOf(momentum)],
  );
}

/** What has to be computed for a momentum. */
export const fedOf = (momentum: Momentum): Tensor[] => (typeof momentum === "number" ? [] : [momentum]);

/** Moving statistics and what they move towards: each `count` numbers. */
export interface Moved {
  readonly count: number;
  readonly momentum: Momentum;
  readonly mean: Operand;
  readonly variance: Operand;
  readonly movingMean: Operand;
  readonly movingVariance: Operand;
}

const movedOf = ({ moments, movingMean, movingVariance, momentum }: MovingStatistics): Moved => ({
  count: movingMean.shape[0],
  momentum,
  ...moments,
  movingMean,
  movingVariance,
});

/** Buffers that one batch norm takes. */
const BUFFERS = 4;

export function moveAll(l: Lowering, all: readonly Moved[]): void {
  const fed = new Set(all.flatMap(({ momentum }) => fedOf(momentum)));
  moveBy(
    l,
    all.filter(({ momentum }) => typeof momentum === "number"),
  );
  for (const momentum of fed)
    moveBy(
      l,
      all.filter((moved) => moved.momentum === momentum),
      momentum,
    );
}

/** @param fed the momentum of all of them, where it is a tensor */
function moveBy(l: Lowering, all: readonly Moved[], fed?: Tensor): void {
  const most = tensorsAtOnce(l.target, BUFFERS, fed ? 1 : 0);
  for (let first = 0; first < all.length; first += most) {
    const some = all.slice(first, first + most);
    const operands = some.flatMap(({ mean, variance, movingMean, movingVariance }, i) => [
      [`mean${i}`, mean],
      [`variance${i}`, variance],
      [`movingMean${i}`, movingMean],
      [`movingVariance${i}`, movingVariance],
    ]);
    const kernel = moveMoments(
      l.target,
      some.map(({ count, momentum }) => ({
        count,
        momentum: typeof momentum === "number" ? momentum : "pooled",
      })),
    );
    l.dispatch(kernel, {
      ...(fed && { momentum: fed }),
      ...(Object.fromEntries(operands) as Record<string, Operand>),
    });
  }
}
