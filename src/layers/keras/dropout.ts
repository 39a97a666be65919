import type { Tensor } from "../../graph/graph.ts";
import { seededRandom } from "../../graph/initializers.ts";
import { dropout as drop } from "../../graph/ops/dropout.ts";
import { runCount } from "../../graph/ops/run-count.ts";
import { defineLayer } from "./layer.ts";
import type { CallOptions, Layer, LayerOptions, LayerScope } from "./layer.ts";

/** What {@link dropout} takes besides the rate. */
export interface DropoutLayerOptions extends LayerOptions {
  /** Another seed gives other masks; 0 by default. Layers of other names have other masks anyway. */
  readonly seed?: number | undefined;
}

/** The count of training steps that dropout drops by, where none is given. */
export const STEP = "dropout/step";

/**
 * Drops numbers of `x` in a training step, by a mask of this layer and step; x itself otherwise.
 *
 * @throws Error when the rate is out of range.
 */
export function dropped(
  x: Tensor,
  rate: number,
  seed: number,
  { name, graph }: LayerScope,
  { training = false, step }: CallOptions,
): Tensor {
  if (!training || rate === 0) return x;
  const own = Math.floor(2 ** 32 * seededRandom(seed, name)());
  return drop(x, { rate, seed: own, step: step ?? runCount(graph, STEP) });
}

/**
 * Keras `Dropout`: in training each number becomes 0 with probability `rate`, and the others are divided by 1 − rate; otherwise x itself. Each
 * step has a mask of its own, the same on every adapter.
 *
 * @throws Error when the rate is not from 0 to below 1.
 */
export function dropout(rate: number, { seed = 0, ...options }: DropoutLayerOptions = {}): Layer {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout takes a rate from 0 to below 1, not ${rate}.`);
  return defineLayer("dropout", options, (x, scope, call) => dropped(x, rate, seed, scope, call));
}
