import { moveAverages } from "../../kernels/moving-average.ts";
import { tensorsAtOnce } from "../../kernels/text/several-tensors.ts";
import type { Node, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import { groupsByLane, lengthOf } from "../lowering/tensor-groups.ts";
import { batchSlice } from "../op.ts";
import type { BatchSlice } from "../op.ts";
import { shapeText } from "../shape.ts";

/** How fast averages move, and what they are called. */
export interface ExponentialMovingAverageOptions {
  /** A scalar tensor, fed anew at each step: how far an average goes towards its variable, 1 less the decay. */
  readonly rate: Tensor;
  /** The end of the averages' names, and their group. */
  readonly name?: string;
}

/**
 * Averages of variables over the steps (Polyak & Juditsky 1992; TensorFlow `ExponentialMovingAverage`): `a += rate · (w − a)` of each
 * variable `w` as the step leaves it, whoever updates it. a, the variable `w/<name>`, begins as w when it is made. Returns one node for
 * all of them (none without variables), to be given to `compile` as an update after those of the optimizer; a dispatch of it takes as many
 * as the adapter can bind. `Variables.exchange` puts the averages in the variables' place.
 *
 * @throws Error when one is not a variable, or the rate is not a scalar.
 */
export function exponentialMovingAverage(
  variables: readonly Tensor[],
  { rate, name = "ema" }: ExponentialMovingAverageOptions,
): Node[] {
  const op = "exponential_moving_average";
  if (rate.shape.length > 0)
    throw new Error(`${op}: the rate must be a scalar; "${rate.name}" is ${shapeText(rate.shape)}.`);
  const pairs = variables.map((x) => {
    const average = rate.graph.slotOf(x, name, zeros, { group: name, copyOf: x });
    return { x, average };
  });
  if (pairs.length === 0) return [];
  const averages = pairs.map(({ average }) => average);
  return [
    rate.graph.apply(
      {
        name: op,
        family: "optimizer",
        outputs: [],
        updates: averages,
        afterUpdates: true,
        lower(l) {
          const parts = pairs.flatMap(({ x, average }) =>
            l
              .slices([x, average])
              .map((range) => ({ x: batchSlice(x, range), average: batchSlice(average, range) })),
          );
          const length = ({ x }: { x: BatchSlice }): number => lengthOf(x);
          for (const group of groupsByLane(tensorsAtOnce(l.target, 2, 1), parts, length)) {
            const bound = group.flatMap(({ x, average }, i) => [
              [`x${i}`, x] as const,
              [`average${i}`, average] as const,
            ]);
            l.dispatch(moveAverages(l.target, group.map(length)), { rate, ...Object.fromEntries(bound) });
          }
        },
      },
      [rate, ...variables, ...averages],
    ),
  ];
}
