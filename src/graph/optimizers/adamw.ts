import type { Node, Tensor } from "../graph.ts";
import { adamUpdates } from "./adam-updates.ts";
import type { AdamOptions } from "./adam-updates.ts";
import type { WeightDecayOptions } from "./optimizer.ts";

/** The default weight decay is Keras's, 0.004. */
export interface AdamWOptions extends AdamOptions, WeightDecayOptions {}

/**
 * AdamW (Loshchilov & Hutter 2019) as Keras 3 has it: what `adam` does, with the same variables, and
 * `w −= learningRate · weightDecay · w` besides, of the w before the step. PyTorch's is the same but for ε, which is added to the root of
 * the corrected mean square there.
 *
 * @param gradients of each parameter, as `gradients(loss)` returns them.
 * @throws Error as `adam` does, and when weight decay is negative.
 */
export function adamw(
  gradients: ReadonlyMap<Tensor, Tensor>,
  { name = "adamw", weightDecay = 0.004, ...options }: AdamWOptions,
): Node[] {
  return adamUpdates("adamw", gradients, { ...options, name, weightDecay });
}
