import { activationBackward, activationForward } from "../../kernels/activation.ts";
import { gradientFollowsFromOutput } from "../../kernels/text/activation.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { Tensor } from "../graph.ts";
import type { ActivationPattern } from "../pattern.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";
import type { DType } from "../shape.ts";

/**
 * An activation function of `keras.activations`, elementwise, any shape; `linear` is x itself. `hard_swish` is Keras's
 * `hard_silu`: x·relu6(x + 3)/6.
 */
export function activation<D extends DType>(x: Tensor<D>, kind: ActivationKind): Tensor<D> {
  if (kind === "linear") return x;
  const pattern: ActivationPattern = { kind: "activation", x, activation: kind };
  return x.graph.apply(
    {
      name: kind,
      family: "elementwise",
      outputs: [x],
      pattern,
      lower: (l, [y]) =>
        lowerElementwise(l, (target, count) => activationForward(target, count, kind), { x, y }),
      gradient: ([dy], [y]) => [() => activationGradient(pattern, y, dy!)],
    },
    [x],
  ).outputs[0];
}

function activationGradient(of: ActivationPattern, y: Tensor, dy: Tensor): Tensor {
  const { x, activation: kind } = of;
  const kept: Record<string, Tensor> = gradientFollowsFromOutput(kind) ? { y } : { x };
  return x.graph.apply(
    {
      name: `${kind}_gradient`,
      family: "elementwise",
      outputs: [x],
      pattern: { kind: "activationGradient", of, dy },
      lower: (l, [dx]) =>
        lowerElementwise(l, (target, count) => activationBackward(target, count, kind), { ...kept, dy, dx }),
    },
    [...Object.values(kept), dy],
  ).outputs[0];
}
