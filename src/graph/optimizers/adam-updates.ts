/** @file What Adam and AdamW have in common. */
import { adamStep, adamUpdate } from "../../kernels/adam.ts";
import type { AdamKernelOptions } from "../../kernels/adam.ts";
import type { Kernel, KernelTarget } from "../../kernels/kernel.ts";
import type { Node, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import { checkFromZero, checkGradients, decayOf, learningRateTensor, ratesOf } from "./optimizer.ts";
import { OPTIMIZER, sharedScalars, updateTogether } from "./optimizer.ts";
import type { OptimizerOptions } from "./optimizer.ts";

/** Of Adam; the defaults are Keras's. */
export interface AdamOptions extends OptimizerOptions {
  /** Share of the mean of the gradients that a step keeps; Keras's default is 0.9. */
  readonly beta1?: number;
  /** Share of the mean of their squares that a step keeps; Keras's default is 0.999. */
  readonly beta2?: number;
  /** Added to the root of the mean square; Keras's default is 1e-7. */
  readonly epsilon?: number;
}

/** What `adam` and `adamw` say they do; without weight decay the latter is the former. */
export function adamUpdates(
  op: string,
  gradients: ReadonlyMap<Tensor, Tensor>,
  {
    learningRate,
    learningRateScale,
    gradientScale,
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-7,
    weightDecay,
    name,
  }: AdamOptions & { readonly weightDecay: number; readonly name: string },
): Node[] {
  checkGradients(op, gradients);
  checkFromZero(op, "weightDecay", weightDecay);
  checkFromZero(op, "epsilon", epsilon);
  for (const [option, beta] of Object.entries({ beta1, beta2 })) {
    if (!(beta > 0 && beta < 1))
      throw new Error(`${op}: ${option} must lie between 0 and 1, and ${beta} does not.`);
  }
  if (gradients.size === 0) return [];
  const options = { beta1, beta2, epsilon, scaled: gradientScale !== undefined };
  const [[{ graph }]] = gradients;
  const rate = learningRateTensor(op, graph, learningRate);
  const scalars = sharedScalars(op, gradientScale, { learningRate: rate });
  const alpha = countStep(graph.state(`${name}/step`, [], zeros, OPTIMIZER), scalars, options);
  const tensors = [...gradients].map(([parameter, gradient]) => ({
    gradient,
    parameter,
    mean: graph.slotOf(parameter, `${name}_m`, zeros, OPTIMIZER),
    meanSquare: graph.slotOf(parameter, `${name}_v`, zeros, OPTIMIZER),
  }));
  const decays = weightDecay > 0;
  const kernel = (target: KernelTarget, lengths: readonly number[], parameters: readonly Tensor[]): Kernel =>
    adamUpdate(target, lengths, {
      ...options,
      decays: decays ? parameters.map((each) => decayOf(each, weightDecay)) : undefined,
      rates: ratesOf(op, parameters, { learningRateScale }),
    });
  const shared = sharedScalars(op, gradientScale, { alpha, ...(decays && { learningRate: rate }) });
  return [updateTogether(op, tensors, shared, kernel)];
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
