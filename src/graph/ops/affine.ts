import { affineBackward, affineForward, affineParameterGradients } from "../../kernels/standardize.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import { productsAndNorms } from "../fuse/products-and-norms.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { AffinePattern } from "../pattern.ts";
import { checkChannels, reductionParts, rowsPerItem } from "./channel-reduction.ts";
import type { DType } from "../shape.ts";

/**
 * z = activation(γ·x̂ + β) over the last axis of `normalized` x̂ `[N, .., C]`; `gamma` and `beta` `[C]`: the second half of a
 * batch norm, and what follows it.
 *
 * @throws Error when the channels do not fit.
 */
export function affine<D extends DType>(
  normalized: Tensor<D>,
  gamma: Tensor,
  beta: Tensor,
  activation: ActivationKind = "linear",
): Tensor<D> {
  checkChannels("affine", normalized, [gamma, beta]);
  const pattern: AffinePattern = { kind: "affine", normalized, gamma, beta, activation };
  return normalized.graph.apply(
    {
      name: "affine",
      family: "normalization",
      outputs: [normalized],
      pattern,
      rewriting: productsAndNorms,
      lower(l, [z]) {
        for (const range of l.slices([normalized, z])) {
          const rows = range.count * rowsPerItem(normalized);
          l.dispatch(affineForward(l.target, rows, gamma.shape[0], activation), {
            normalized: batchSlice(normalized, range),
            gamma,
            beta,
            z: batchSlice(z, range),
          });
        }
      },
      gradient([dz]) {
        let made: readonly Tensor[] | undefined;
        const all = (): readonly Tensor[] => (made ??= affineGradient(pattern, dz!));
        return [0, 1, 2].map((i) => () => all()[i]);
      },
    },
    [normalized, gamma, beta],
  ).outputs[0];
}

/** The gradients by x̂, γ and β. */
function affineGradient(of: AffinePattern, dz: Tensor): readonly Tensor[] {
  const { normalized, gamma, beta, activation } = of;
  return normalized.graph.apply(
    {
      name: "affine_gradient",
      family: "normalization",
      outputs: [normalized, { shape: gamma.shape, dtype: "f32" }, { shape: beta.shape, dtype: "f32" }],
      pattern: { kind: "affineGradient", of, dz },
      rewriting: productsAndNorms,
      lower(l, [gradient, dgamma, dbeta]) {
        const operands = { gamma, beta };
        if (l.uses(dgamma) || l.uses(dbeta)) {
          const { parts, partialCount, channels } = reductionParts(l, [normalized, dz]);
          const partials = [0, 1].map(() => l.scratch(4 * partialCount * channels));
          for (const { range, walk, firstPartial } of parts) {
            l.dispatch(affineParameterGradients(walk, firstPartial, activation), {
              ...operands,
              normalized: batchSlice(normalized, range),
              dz: batchSlice(dz, range),
              dgamma: partials[0],
              dbeta: partials[1],
            });
          }
          l.sum(
            [dgamma, dbeta].map((result, i) => ({
              partials: partials[i],
              partialCount,
              count: channels,
              result,
            })),
          );
        }
        if (!l.uses(gradient)) return;
        for (const range of l.slices([normalized, dz, gradient])) {
          const rows = range.count * rowsPerItem(normalized);
          l.dispatch(affineBackward(l.target, rows, gamma.shape[0], activation), {
            ...operands,
            normalized: batchSlice(normalized, range),
            dz: batchSlice(dz, range),
            gradient: batchSlice(gradient, range),
          });
        }
      },
    },
    [normalized, gamma, beta, dz],
  ).outputs;
}
