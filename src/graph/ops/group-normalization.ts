import { groupNormForward, groupNormInputGradient } from "../../kernels/group-normalization.ts";
import type { GroupedImages } from "../../kernels/group-normalization.ts";
import type { Tensor } from "../graph.ts";
import { applyRowNorm } from "../lowering/row-norm.ts";
import type { RowNorm, RowNormOptions } from "../lowering/row-norm.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { rowsPerItem } from "./channel-reduction.ts";

/** What a group norm takes besides x. */
export interface GroupNormalizationOptions extends RowNormOptions {
  /** Groups of neighbouring channels, a divisor of C. 1 normalizes each item as a whole, C each channel by itself (instance norm). */
  readonly groups: number;
}

/**
 * Group norm of `x` `[N, .., C]`, floats, for example images `[N, H, W, C]` (Wu, He 2018; Keras `GroupNormalization`):
 * γ·(x − mean)/√(variance + ε) + β with mean and biased variance of each group of channels over all pixels of one item. x, γ and β have
 * gradients.
 *
 * One dispatch forward and two back: one for x, one for γ and β. Their sums over rows run together with those of other layers.
 *
 * @throws Error when the groups do not divide C, x is u32 or has no batch, γ or β are not `[C]`, or ε is negative.
 */
export function groupNormalization<D extends DType>(
  x: Tensor<D>,
  { groups, ...options }: GroupNormalizationOptions,
): Tensor<D> {
  const channels = x.shape.at(-1) ?? 1;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new Error(
      `groupNormalization: "${x.name}" ${shapeText(x.shape)} has ${channels} channels, which ${groups} groups do not ` +
        `divide: take a divisor of ${channels}.`,
    );
  }
  const [pixels, groupSize] = [rowsPerItem(x), channels / groups];
  const images = (batch: number): GroupedImages => ({ batch, pixels, groups, groupSize });
  const norm: RowNorm = {
    name: "group_norm",
    perItem: groups,
    statisticsOf: { pixels, groups, groupSize },
    forward: (l, count, options) => groupNormForward(l.target, images(count), options),
    inputGradient: (l, count, options) => groupNormInputGradient(l.target, images(count), options),
  };
  return applyRowNorm("groupNormalization", x, norm, options);
}
