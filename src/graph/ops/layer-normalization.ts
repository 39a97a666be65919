import { layerNormForward, layerNormInputGradient } from "../../kernels/layer-normalization.ts";
import type { Tensor } from "../graph.ts";
import { applyRowNorm } from "../lowering/row-norm.ts";
import type { RowNorm, RowNormOptions } from "../lowering/row-norm.ts";
import type { DType } from "../shape.ts";
import { rowsPerItem } from "./channel-reduction.ts";

/** What a layer norm takes besides x; all of it has defaults. */
export type LayerNormalizationOptions = RowNormOptions;

/**
 * Layer norm over the last axis of `x` `[N, .., C]`, floats (Ba, Kiros, Hinton 2016; Keras `LayerNormalization`):
 * γ·(x − mean)/√(variance + ε) + β with mean and biased variance of each row of C numbers. x, γ and β have gradients.
 *
 * One dispatch forward, which reads x once where a row fits the registers, and two back: one for x, one for γ and β. Their sums over
 * rows run together with those of other layers.
 *
 * @throws Error when x is u32 or has no batch, γ or β are not `[C]`, or ε is negative.
 */
export function layerNormalization<D extends DType>(
  x: Tensor<D>,
  options: LayerNormalizationOptions = {},
): Tensor<D> {
  const channels = x.shape.at(-1) ?? 1;
  const perItem = rowsPerItem(x);
  const norm: RowNorm = {
    name: "layer_norm",
    perItem,
    statisticsOf: { pixels: 1, groups: 1, groupSize: channels },
    forward: (l, count, options) => layerNormForward(l.target, count * perItem, channels, options),
    inputGradient: (l, count, options) =>
      layerNormInputGradient(l.target, count * perItem, channels, options),
  };
  return applyRowNorm("layerNormalization", x, norm, options);
}
