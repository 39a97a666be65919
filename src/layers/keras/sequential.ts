import type { Tensor } from "../../graph/graph.ts";
import type { DType } from "../../graph/shape.ts";
import type { CallOptions, Layer, LayerResult } from "./layer.ts";

/** What {@link sequential} takes besides layers. */
export interface SequentialOptions {
  /** What the names of all its variables begin with, `<name>/dense/kernel`; nothing by default. */
  readonly name?: string | undefined;
}

/** Layers one after the other, which are a layer too. */
export interface Sequential extends Layer {
  /** In the order in which they are applied. */
  readonly layers: readonly Layer[];
}

/**
 * Keras `Sequential`: applies one layer after the other. Applied to inputs of two graphs, one with `training: true` for a training step and one
 * without for evaluation, it has the same variables in both, which their programs share by `Variables`. A batch norm and the `activation`
 * behind it run in the same kernels.
 *
 * @throws Error when there is no layer.
 */
export function sequential(layers: readonly Layer[], { name }: SequentialOptions = {}): Sequential {
  if (layers.length === 0) throw new Error("sequential takes at least one layer.");
  const apply = <D extends DType>(x: Tensor<D>, call: CallOptions = {}): LayerResult<D> => {
    const scope = [call.scope, name].filter((each) => each !== undefined).join("/");
    const own = { training: call.training, step: call.step, scope: scope === "" ? undefined : scope };
    let y: Tensor = x;
    for (let i = 0; i < layers.length; i++) {
      const [layer, next] = [layers[i], layers.at(i + 1)];
      const together = layer.appliesActivation && next?.activation !== undefined;
      y = layer(y, together ? { ...own, activation: next.activation } : own);
      if (together) i++;
    }
    return y as LayerResult<D>;
  };
  return Object.assign(apply, { kind: "sequential", layers });
}
