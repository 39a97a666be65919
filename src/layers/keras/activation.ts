import type { Tensor } from "../../graph/graph.ts";
import { activation as apply } from "../../graph/ops/activation.ts";
import { softmax } from "../../graph/ops/softmax.ts";
import { ACTIVATION_KINDS } from "../../kernels/text/activation.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import { defineLayer } from "./layer.ts";
import type { Layer, LayerOptions } from "./layer.ts";

/** A function of `keras.activations` by its name, softmax over the last axis, or any function of a tensor. */
export type Activation = ActivationKind | "softmax" | "silu" | ((x: Tensor) => Tensor);

/** Applies an activation. @throws Error when there is none of that name. */
export function activated(x: Tensor, activation: Activation = "linear"): Tensor {
  if (typeof activation === "function") return activation(x);
  if (activation === "softmax") return softmax(x);
  const kind = activation === "silu" ? "swish" : activation;
  if (!ACTIVATION_KINDS.includes(kind)) {
    const names = [...ACTIVATION_KINDS, "silu", "softmax"].join(", ");
    throw new Error(
      `There is no activation "${kind as string}": take one of ${names}, or a function of a tensor.`,
    );
  }
  return apply(x, kind);
}

/**
 * Keras `Activation`: of any shape.
 *
 * @throws Error when it is applied and there is no activation of that name, or to u32.
 */
export const activation = (kind: Activation, options: LayerOptions = {}): Layer =>
  defineLayer("activation", options, (x) => activated(x, kind));
