import {
  activationGradientOfOutputText,
  activationGradientText,
  activationText,
  gradientFollowsFromOutput,
} from "../../kernels/text/activation.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { Tensor } from "../graph.ts";
import type { ActivationPattern } from "../pattern.ts";
import type { DType } from "../shape.ts";
import { elementwise, floats } from "./elementwise.ts";

/**
 * An activation function of `keras.activations`, elementwise, any shape; `linear` is x itself. `hard_swish` is Keras's
 * `hard_silu`: x·relu6(x + 3)/6; `gelu_tanh` its `gelu` with `approximate=True`.
 *
 * @throws Error when x is u32.
 */
export function activation<D extends DType>(x: Tensor<D>, kind: ActivationKind): Tensor<D> {
  if (kind === "linear") return x;
  floats(kind, x);
  const pattern: ActivationPattern = { kind: "activation", x, activation: kind };
  return elementwise(
    kind,
    activationText(kind, "a", "T"),
    { a: x },
    { dtype: x.dtype, pattern, gradient: ([dy], [y]) => [() => activationGradient(pattern, y, dy!)] },
  );
}

/** From the output where that is enough, so that the input need not be kept. */
function activationGradient(of: ActivationPattern, y: Tensor, dy: Tensor): Tensor {
  const { x, activation: kind } = of;
  const fromOutput = gradientFollowsFromOutput(kind);
  const text = fromOutput ? activationGradientOfOutputText : activationGradientText;
  return elementwise(
    `${kind}_gradient`,
    text(kind, "a", "d", "T"),
    { a: fromOutput ? y : x, d: dy },
    { dtype: x.dtype, pattern: { kind: "activationGradient", of, dy } },
  );
}
