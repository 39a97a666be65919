/** @file Batch norm as three kernels: forward, the sums that are the gradients of γ and β, and the gradient by x. */
import {
  batchNormForward,
  batchNormInputGradient,
  batchNormParameterGradients,
} from "../../kernels/batch-norm.ts";
import type { BatchNormKernelOptions } from "../../kernels/batch-norm.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Lowering, Operand } from "../op.ts";
import { reductionParts, rowsPerItem } from "../ops/channel-reduction.ts";
import { sizeOf } from "../shape.ts";

/** `x` `[N, .., C]`, the rest `[C]`. */
export interface Norm {
  readonly x: Tensor;
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export interface ParameterGradients<Of = Tensor> {
  readonly dgamma: Of;
  readonly dbeta: Of;
}

/** Whether the gradients of a norm depend on what comes before its activation. */
export const bends = ({ activation }: BatchNormKernelOptions): boolean =>
  activation !== undefined && activation !== "linear";

export function lowerBatchNorm(l: Lowering, norm: Norm, options: BatchNormKernelOptions, y: Tensor): void {
  const { x, mean } = norm;
  for (const range of l.slices([x, y])) {
    const kernel = batchNormForward(l.target, range.count * rowsPerItem(x), mean.shape[0], options);
    l.dispatch(kernel, { ...norm, x: batchSlice(x, range), y: batchSlice(y, range) });
  }
}

export function lowerParameterGradients(
  l: Lowering,
  { x, gamma, beta, mean, variance }: Norm,
  dy: Tensor,
  options: BatchNormKernelOptions,
  { dgamma, dbeta }: ParameterGradients<Operand>,
): void {
  const { parts, partialCount, channels } = reductionParts(l, [x, dy]);
  const partials = [l.scratch(4 * partialCount * channels), l.scratch(4 * partialCount * channels)];
  for (const { range, walk, firstPartial } of parts) {
    l.dispatch(batchNormParameterGradients(walk, firstPartial, options), {
      x: batchSlice(x, range),
      dy: batchSlice(dy, range),
      mean,
      variance,
      ...(bends(options) ? { gamma, beta } : {}),
      dgamma: partials[0],
      dbeta: partials[1],
    });
  }
  l.sum(
    [dgamma, dbeta].map((result, i) => ({ partials: partials[i], partialCount, count: channels, result })),
  );
}

/** What {@link lowerInputGradient} reads, by the kernel's names: what is large, and what is `[C]`. */
export function inputGradientOperands(
  { x, gamma, beta, mean, variance }: Norm,
  dy: Tensor,
  options: BatchNormKernelOptions,
  through: ParameterGradients | null,
): { large: Record<string, Tensor>; vectors: Record<string, Tensor> } {
  const usesX = bends(options) || through !== null;
  return {
    large: usesX ? { x, dy } : { dy },
    vectors: { variance, gamma, ...(usesX && { mean }), ...(bends(options) && { beta }), ...through },
  };
}

/** `through`: the gradients of γ and β where the statistics depend on x, else `null`. */
export function lowerInputGradient(
  l: Lowering,
  norm: Norm,
  dy: Tensor,
  options: BatchNormKernelOptions,
  through: ParameterGradients | null,
  dx: Tensor,
): void {
  const { x, gamma } = norm;
  const { large, vectors } = inputGradientOperands(norm, dy, options, through);
  const batchRows = through ? sizeOf(x.shape.slice(0, -1)) : undefined;
  for (const range of l.slices([x, dy, dx])) {
    const rows = range.count * rowsPerItem(x);
    const sliced = Object.entries(large).map(([name, tensor]) => [name, batchSlice(tensor, range)] as const);
    l.dispatch(batchNormInputGradient(l.target, rows, gamma.shape[0], { ...options, batchRows }), {
      ...vectors,
      ...Object.fromEntries(sliced),
      dx: batchSlice(dx, range),
    });
  }
}
