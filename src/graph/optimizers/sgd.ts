import type { Kernel, KernelTarget } from "../../kernels/kernel.ts";
import { sgdUpdate } from "../../kernels/sgd.ts";
import type { Node, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import {
  checkFromZero,
  checkGradients,
  checkShare,
  decayOf,
  learningRateTensor,
  ratesOf,
} from "./optimizer.ts";
import { OPTIMIZER, sharedScalars, updateTogether } from "./optimizer.ts";
import type { OptimizerOptions, WeightDecayOptions } from "./optimizer.ts";

/** Of gradient descent; the defaults are Keras's. */
export interface SgdOptions extends OptimizerOptions, WeightDecayOptions {
  /** Share of the velocity that a step keeps; none by default, as in Keras. */
  readonly momentum?: number;
  /** Whether a step goes to where the velocity leads next (Nesterov 1983, as Sutskever et al. 2013 write it); not by default. */
  readonly nesterov?: boolean;
}

/**
 * Gradient descent as Keras 3 has it: `w −= learningRate · g`; with momentum `v = momentum·v − learningRate·g` and `w += v`, or
 * with Nesterov's `w += momentum·v − learningRate·g`. v, the variable `w/<name>` of each parameter `w`, starts at zero; there is none
 * without momentum. Returns one node for all parameters (none without parameters), to be given to `compile` as `updates`; a
 * dispatch of it updates as many as the adapter can bind.
 *
 * PyTorch's velocity is not multiplied by the learning rate: the same steps while the rate stays what it is, but where it changes,
 * the velocity there changes with it at once. Weight decay is decoupled, as Keras has it (SGDW), and does not go into the velocity, as
 * PyTorch's does.
 *
 * @param gradients of each parameter, as `gradients(loss)` returns them.
 * @throws Error when momentum is not in [0, 1), Nesterov's is asked for without momentum, weight decay or the learning rate is negative
 *   or no number, a key is not a
 *   variable, a gradient does not have its parameter's shape or is itself updated, or the learning rate is a tensor and not a scalar.
 */
export function sgd(
  gradients: ReadonlyMap<Tensor, Tensor>,
  {
    learningRate,
    learningRateScale,
    gradientScale,
    momentum = 0,
    nesterov = false,
    weightDecay = 0,
    name = "sgd",
  }: SgdOptions,
): Node[] {
  checkGradients("sgd", gradients);
  checkFromZero("sgd", "weightDecay", weightDecay);
  checkShare("sgd", "momentum", momentum);
  if (nesterov && momentum === 0) throw new Error("sgd: Nesterov's momentum needs a momentum above 0.");
  if (gradients.size === 0) return [];
  const [[{ graph }]] = gradients;
  const rate = learningRateTensor("sgd", graph, learningRate);
  const tensors = [...gradients].map(([parameter, gradient]) => ({
    gradient,
    parameter,
    ...(momentum > 0 && { velocity: graph.slotOf(parameter, name, zeros, OPTIMIZER) }),
  }));
  const kernel = (
    target: KernelTarget,
    lengths: readonly number[],
    parameters: readonly Tensor[],
  ): Kernel => {
    const decays = weightDecay > 0 ? parameters.map((each) => decayOf(each, weightDecay)) : undefined;
    const rates = ratesOf("sgd", parameters, { learningRateScale });
    const scaled = gradientScale !== undefined;
    return sgdUpdate(target, lengths, { momentum, nesterov, decays, rates, scaled });
  };
  const shared = sharedScalars("sgd", gradientScale, { learningRate: rate });
  return [updateTogether("sgd", tensors, shared, kernel)];
}
