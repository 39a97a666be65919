import { rmspropUpdate } from "../../kernels/rmsprop.ts";
import type { Node, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import { fill } from "../ops/fill.ts";
import { slice } from "../op.ts";
import { sameShape, shapeText, sizeOf } from "../shape.ts";

export interface RmspropOptions {
  /** A constant, or a scalar tensor, so that each step can be fed its own. */
  readonly learningRate: number | Tensor;
  /** Share of the mean square that a step keeps; Keras's default is 0.9. */
  readonly rho?: number;
  /** Added to the mean square inside the root; Keras's default is 1e-7. */
  readonly epsilon?: number;
  /** The slot of the parameter `w` is the variable `w/<name>`; another name is another, fresh optimizer. */
  readonly name?: string;
}

/**
 * RMSprop as Keras has it, without momentum or centring: `v = ρ·v + (1 − ρ)·g²`, `w −= learningRate · g / sqrt(v + ε)`,
 * v starting at zero. Returns one node a parameter, to be given to `compile` as `updates`.
 *
 * @param gradients of each parameter, as `gradients(loss)` returns them.
 * @throws Error when a key is not a variable, a gradient has not its parameter's shape, or the learning rate is a
 *   tensor and not a scalar.
 */
export function rmsprop(
  gradients: ReadonlyMap<Tensor, Tensor>,
  { learningRate, rho = 0.9, epsilon = 1e-7, name = "rmsprop" }: RmspropOptions,
): Node[] {
  let rate: Tensor | undefined;
  return [...gradients].map(([parameter, gradient]) => {
    const { graph, shape } = parameter;
    if (!parameter.variable) throw new Error(`rmsprop: "${parameter.name}" is not a variable.`);
    if (!sameShape(shape, gradient.shape)) {
      throw new Error(
        `rmsprop: the gradient of "${parameter.name}" ${shapeText(shape)} is ${shapeText(gradient.shape)}.`,
      );
    }
    rate ??= typeof learningRate === "number" ? fill(graph, [], learningRate) : learningRate;
    if (rate.shape.length > 0) {
      throw new Error(
        `rmsprop: the learning rate must be a scalar; "${rate.name}" is ${shapeText(rate.shape)}.`,
      );
    }
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
