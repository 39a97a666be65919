/** @file What decides what the dropout of a list of layers drops. */
import type { Tensor } from "../../graph/graph.ts";
import { seededRandom } from "../../graph/initializers.ts";

/** What decides which numbers dropout drops. */
export interface DropoutSource {
  /** A whole number; with its name every layer makes one of its own of it. */
  readonly seed: number;
  /** The number of the training step, a u32 scalar: each has masks of its own. */
  readonly step: Tensor;
}

/**
 * The seed of a layer's masks, and the step.
 *
 * @throws Error when there is no source.
 */
export function maskOf(source: DropoutSource | undefined, name: string): { seed: number; step: Tensor } {
  if (source === undefined)
    throw new Error(`"${name}" drops in training: the option dropout is missing, with a seed and the step.`);
  return { seed: Math.floor(2 ** 32 * seededRandom(source.seed, name)()), step: source.step };
}
