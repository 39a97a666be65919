import type { Tensor } from "../../graph/graph.ts";
import { activation as apply } from "../../graph/ops/activation.ts";
import { softmax } from "../../graph/ops/softmax.ts";
import { ACTIVATION_KINDS } from "../../kernels/text/activation.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import { defineLayer } from "./layer.ts";
import type { Layer, LayerOptions } from "./layer.ts";

/** A function of `keras.activations` by its name, softmax over the last axis, or any function of a tensor. */
export type Activation = ActivationKind | "softmax" | "silu" | ((x: Tensor) => Tensor);

/** Which function of single numbers an activation is; none where it is something else. */
function kindOf(activation: Activation): ActivationKind | undefined {
  if (activation === "silu") return "swish";
  return ACTIVATION_KINDS.find((kind) => kind === activation);
}

/** Applies an activation. @throws Error when there is none of that name. */
export function activated(x: Tensor, activation: Activation = "linear"): Tensor {
  if (typeof activation === "function") return activation(x);
  if (activation === "softmax") return softmax(x);
  const kind = kindOf(activation);
  if (kind !== undefined) return apply(x, kind);
  const names = [...ACTIVATION_KINDS, "silu", "softmax"].join(", ");
  throw new Error(
    `There is no activation "${activation as string}": take one of ${names}, or a function of a tensor.`,
  );
}

/**
 * Keras `Activation`: of any shape.
 *
 * @throws Error when it is applied and there is no activation of that name, or to u32.
 */
export function activation(kind: Activation, options: LayerOptions = {}): Layer {
  const layer = defineLayer("activation", options, (x) => activated(x, kind));
  const ofNumbers = kindOf(kind);
  return ofNumbers === undefined ? layer : Object.assign(layer, { activation: ofNumbers });
}
