import { activationBackward, activationForward } from "../../kernels/activation.ts";
import { gradientFollowsFromOutput } from "../../kernels/text/activation.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { Tensor } from "../graph.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";

/**
 * An activation function of `keras.activations`, elementwise, any shape; `linear` is x itself. `hard_swish` is Keras's
 * `hard_silu`: x·relu6(x + 3)/6.
 */
export function activation(x: Tensor, kind: ActivationKind): Tensor {
  if (kind === "linear") return x;
  return x.graph.apply(
    {
      name: kind,
      family: "elementwise",
      outputs: [x],
      lower: (l, [y]) =>
        lowerElementwise(l, (target, count) => activationForward(target, count, kind), { x, y }),
      gradient: ([dy], [y]) => [() => activationGradient(kind, { x, y, dy: dy! })],
    },
    [x],
  ).outputs[0];
}

function activationGradient(
  kind: ActivationKind,
  { x, y, dy }: { readonly x: Tensor; readonly y: Tensor; readonly dy: Tensor },
): Tensor {
  const kept: Record<string, Tensor> = gradientFollowsFromOutput(kind) ? { y } : { x };
  return x.graph.apply(
    {
      name: `${kind}_gradient`,
      family: "elementwise",
      outputs: [x],
      lower: (l, [dx]) =>
        lowerElementwise(l, (target, count) => activationBackward(target, count, kind), { ...kept, dy, dx }),
    },
    [...Object.values(kept), dy],
  ).outputs[0];
}
