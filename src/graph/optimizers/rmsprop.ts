import type { Kernel, KernelTarget } from "../../kernels/kernel.ts";
import { rmspropUpdate } from "../../kernels/rmsprop.ts";
import type { Node, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import {
  OPTIMIZER,
  checkFromZero,
  checkGradients,
  checkShare,
  learningRateTensor,
  ratesOf,
  sharedScalars,
  updateTogether,
} from "./optimizer.ts";
import type { OptimizerOptions } from "./optimizer.ts";

/** Of RMSprop; the defaults are Keras's. */
export interface RmspropOptions extends OptimizerOptions {
  /** Share of the mean square that a step keeps; Keras's default is 0.9. */
  readonly rho?: number;
  /** Added to the mean square inside the root; Keras's default is 1e-7. */
  readonly epsilon?: number;
}

/**
 * RMSprop as Keras has it, without momentum or centring: `v = ρ·v + (1 − ρ)·g²`, `w −= learningRate · g / sqrt(v + ε)`,
 * v, the variable `w/<name>` of each parameter `w`, starting at zero. Returns one node for all parameters (none without
 * parameters), to be given to `compile` as `updates`; a dispatch of it updates as many as the adapter can bind.
 *
 * @param gradients of each parameter, as `gradients(loss)` returns them.
 * @throws Error when rho is not in [0, 1), epsilon or the learning rate is negative or no number, a key is not a variable, a gradient does
 *   not have its parameter's shape or is itself updated, or the learning rate is a tensor and not a scalar.
 */
export function rmsprop(
  gradients: ReadonlyMap<Tensor, Tensor>,
  {
    learningRate,
    learningRateScale,
    gradientScale,
    rho = 0.9,
    epsilon = 1e-7,
    name = "rmsprop",
  }: RmspropOptions,
): Node[] {
  checkGradients("rmsprop", gradients);
  checkShare("rmsprop", "rho", rho);
  checkFromZero("rmsprop", "epsilon", epsilon);
  if (gradients.size === 0) return [];
  const [[{ graph }]] = gradients;
  const rate = learningRateTensor("rmsprop", graph, learningRate);
  const tensors = [...gradients].map(([parameter, gradient]) => ({
    gradient,
    parameter,
    meanSquare: graph.slotOf(parameter, name, zeros, OPTIMIZER),
  }));
  const kernel = (target: KernelTarget, lengths: readonly number[], parameters: readonly Tensor[]): Kernel =>
    rmspropUpdate(target, lengths, {
      ...{ rho, epsilon, scaled: gradientScale !== undefined },
      rates: ratesOf("rmsprop", parameters, { learningRateScale }),
    });
  const shared = sharedScalars("rmsprop", gradientScale, { learningRate: rate });
  return [updateTogether("rmsprop", tensors, shared, kernel)];
}
