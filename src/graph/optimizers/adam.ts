import { adamStep, adamUpdate } from "../../kernels/adam.ts";
import type { AdamKernelOptions } from "../../kernels/adam.ts";
import type { Kernel, KernelTarget } from "../../kernels/kernel.ts";
import type { Node, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import { checkGradients, learningRateTensor, OPTIMIZER, sharedScalars, updateTogether } from "./optimizer.ts";
import type { OptimizerOptions } from "./optimizer.ts";

export interface AdamOptions extends OptimizerOptions {
  /** Share of the mean of the gradients that a step keeps; Keras's default is 0.9. */
  readonly beta1?: number;
  /** Share of the mean of their squares that a step keeps; Keras's default is 0.999. */
  readonly beta2?: number;
  /** Added to the root of the mean square; Keras's default is 1e-7. */
  readonly epsilon?: number;
}

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
 * @throws Error when a beta is not in (0, 1), a key is not a variable, a gradient does not have its parameter's shape or is itself updated, or the
 *   learning rate is a tensor and not a scalar.
 */
export function adam(
  gradients: ReadonlyMap<Tensor, Tensor>,
  { learningRate, gradientScale, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, name = "adam" }: AdamOptions,
): Node[] {
  checkGradients("adam", gradients);
  for (const [option, beta] of Object.entries({ beta1, beta2 })) {
    if (!(beta > 0 && beta < 1))
      throw new Error(`adam: ${option} must lie between 0 and 1, and ${beta} does not.`);
  }
  if (gradients.size === 0) return [];
  const options = { beta1, beta2, epsilon, scaled: gradientScale !== undefined };
  const [[{ graph }]] = gradients;
  const rate = learningRateTensor("adam", graph, learningRate);
  const scalars = sharedScalars("adam", gradientScale, { learningRate: rate });
  const alpha = countStep(graph.state(`${name}/step`, [], zeros, OPTIMIZER), scalars, options);
  const tensors = [...gradients].map(([parameter, gradient]) => ({
    gradient,
    parameter,
    mean: graph.slotOf(parameter, `${name}_m`, zeros, OPTIMIZER),
    meanSquare: graph.slotOf(parameter, `${name}_v`, zeros, OPTIMIZER),
  }));
  const kernel = (target: KernelTarget, lengths: readonly number[]): Kernel =>
    adamUpdate(target, lengths, options);
  return [updateTogether("adam", tensors, sharedScalars("adam", gradientScale, { alpha }), kernel)];
}

/** Adds one to `step` and returns α of that step. */
function countStep(
  step: Tensor,
  scalars: Readonly<Record<string, Tensor>>,
  options: AdamKernelOptions,
): Tensor {
  return step.graph.apply(
    {
      name: "adam_step",
      family: "optimizer",
      outputs: [{ shape: [], dtype: "f32" }],
      updates: [step],
      lower: (l, [alpha]) => l.dispatch(adamStep(l.target, options), { ...scalars, step, alpha }),
    },
    [step, ...Object.values(scalars)],
  ).outputs[0];
}
