/** @file The exponential moving average of the weights (`--ema`), which a run is validated and used with. */
import type { Node, Tensor } from "../../graph/graph.ts";
import { exponentialMovingAverage } from "../../graph/optimizers/exponential-moving-average.ts";

/** Where averages lie: that of `w` is the variable `w/ema`, of the group `ema`. */
export const AVERAGE = "ema";

/**
 * How far the averages go towards the weights in a step of the run, counted from 0: 1 − min(decay, (1 + t) / (10 + t)), as TensorFlow's
 * `ExponentialMovingAverage` with `num_updates` t, so that they soon forget what the run began with.
 */
export const averagingRateAt = (step: number, decay: number): number =>
  1 - Math.min(decay, (1 + step) / (10 + step));

/**
 * Averages what the step of a phase changes in the network: `parameters`, and the moving statistics of the parts that they are of, as
 * timm's `ModelEmaV2` and Ultralytics do. A part that is frozen is its own average. The graph gets an input `ema_rate` `[]`.
 */
export function averageUpdates(parameters: readonly Tensor[]): Node[] {
  const [{ graph }] = parameters;
  const groups = new Set(parameters.map(({ variable }) => variable!.group));
  const statistics = [...graph.variables.values()].filter(
    ({ variable }) => variable!.role === "state" && groups.has(variable!.group),
  );
  return exponentialMovingAverage([...parameters, ...statistics], {
    rate: graph.input("ema_rate", []),
    name: AVERAGE,
  });
}

/** Ends of names in a checkpoint of the weights that learn, where a weight's own name is its average's. */
const TRAINED = "trained";

/**
 * The variables of a run as a checkpoint has them: `w` is what the network is used with, its average where there is one, and the weight
 * that learns is `w/trained`. So whoever reads the file gets the average.
 */
export const averagesAsWeights = <Value>(variables: ReadonlyMap<string, Value>): Map<string, Value> =>
  exchangedNames(variables, AVERAGE, TRAINED);

/** What {@link averagesAsWeights} was made of. */
export const weightsAsTrained = <Value>(kept: ReadonlyMap<string, Value>): Map<string, Value> =>
  exchangedNames(kept, TRAINED, AVERAGE);

/** `w/<from>` becomes `w`, and what was `w` becomes `w/<to>`. */
function exchangedNames<Value>(
  all: ReadonlyMap<string, Value>,
  from: string,
  to: string,
): Map<string, Value> {
  const end = `/${from}`;
  const renamed = (name: string): string => {
    if (all.has(name + end)) return `${name}/${to}`;
    const own = name.slice(0, -end.length);
    return name.endsWith(end) && all.has(own) ? own : name;
  };
  return new Map([...all].map(([name, value]) => [renamed(name), value]));
}
