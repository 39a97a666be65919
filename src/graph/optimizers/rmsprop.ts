import { rmspropUpdate } from "../../kernels/rmsprop.ts";
import type { Node, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import { slice } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { checkGradients, learningRateTensor } from "./optimizer.ts";
import type { OptimizerOptions } from "./optimizer.ts";

export interface RmspropOptions extends OptimizerOptions {
  /** Share of the mean square that a step keeps; Keras's default is 0.9. */
  readonly rho?: number;
  /** Added to the mean square inside the root; Keras's default is 1e-7. */
  readonly epsilon?: number;
}

/**
 * RMSprop as Keras has it, without momentum or centring: `v = ρ·v + (1 − ρ)·g²`, `w −= learningRate · g / sqrt(v + ε)`,
 * v, the variable `w/<name>` of each parameter `w`, starting at zero. Returns one node a parameter, to be given to
 * `compile` as `updates`.
 *
 * @param gradients of each parameter, as `gradients(loss)` returns them.
 * @throws Error when a key is not a variable, a gradient has not its parameter's shape, or the learning rate is a
 *   tensor and not a scalar.
 */
export function rmsprop(
  gradients: ReadonlyMap<Tensor, Tensor>,
  { learningRate, rho = 0.9, epsilon = 1e-7, name = "rmsprop" }: RmspropOptions,
): Node[] {
  checkGradients("rmsprop", gradients);
  let rate: Tensor | undefined;
  return [...gradients].map(([parameter, gradient]) => {
    const { graph, shape } = parameter;
    rate ??= learningRateTensor("rmsprop", graph, learningRate);
    const slot = graph.state(`${parameter.name}/${name}`, shape, zeros);
    return updateNode({ parameter, slot, gradient, rate }, { rho, epsilon });
  });
}

function updateNode(
  tensors: { parameter: Tensor; slot: Tensor; gradient: Tensor; rate: Tensor },
  options: { rho: number; epsilon: number },
): Node {
  const { parameter, slot, gradient, rate } = tensors;
  return parameter.graph.apply(
    {
      name: "rmsprop",
      outputs: [],
      updates: [parameter, slot],
      lower(l) {
        const perItem = sizeOf(parameter.shape.slice(1));
        for (const range of l.slices([parameter, slot, gradient])) {
          l.dispatch(rmspropUpdate(l.target, range.count * perItem, options), {
            gradient: slice(gradient, range),
            learningRate: rate,
            parameter: slice(parameter, range),
            meanSquare: slice(slot, range),
          });
        }
      },
    },
    [gradient, rate, parameter, slot],
  );
}
