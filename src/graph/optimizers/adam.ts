import type { Node, Tensor } from "../graph.ts";
import { adamUpdates } from "./adam-updates.ts";
import type { AdamOptions } from "./adam-updates.ts";

export type { AdamOptions } from "./adam-updates.ts";

/**
 * Adam (Kingma & Ba 2015) as Keras has it: in step t, from 1, `m += (1 − β₁)·(g − m)`, `v += (1 − β₂)·(g² − v)`,
 * `α = learningRate · sqrt(1 − β₂ᵗ) / (1 − β₁ᵗ)`, `w −= α·m / (sqrt(v) + ε)`. Returns one node for all
 * parameters (none without parameters), to be given to `compile` as `updates`; a dispatch of it updates as many as the
 * adapter can bind.
 *
 * Its variables, all starting at zero, are `w/<name>_m` and `w/<name>_v` for each parameter `w`, and `<name>/step`, the
 * scalar t, which a run counts up once.
 *
 * @param gradients of each parameter, as `gradients(loss)` returns them.
 * @throws Error when a beta is not in (0, 1), epsilon or the learning rate is negative or no number, a key is not a variable, a gradient does not have its parameter's shape or is itself updated, or the
 *   learning rate is a tensor and not a scalar.
 */
export function adam(
  gradients: ReadonlyMap<Tensor, Tensor>,
  { name = "adam", ...options }: AdamOptions,
): Node[] {
  return adamUpdates("adam", gradients, { ...options, name, weightDecay: 0 });
}
