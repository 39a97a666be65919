/** @file What follows a pass back through a batch norm: the sums of its tiles become gradients of γ and β and coefficients. */
import { mergeNormGradient, mergeSharedNormGradient } from "../../kernels/norm-gradient.ts";
import { STACK_ALIGNMENT } from "../graph.ts";
import type { Tensor } from "../graph.ts";
import type { Lowering, Operand } from "../op.ts";
import type { NormPlanes } from "./reading.ts";

/** Where the gradient of γ or of β goes; nowhere if nobody wants it. */
export interface VectorTarget {
  readonly tensor: Tensor;
  /** Its first channel there, and whether it is filled up to the next part of a stack. */
  readonly begin: number;
  readonly stacked: boolean;
}

export interface NormGradientTarget {
  readonly channels: number;
  /** Rows of the whole batch. */
  readonly rows: number;
  readonly planes: NormPlanes;
  readonly dgamma: VectorTarget | null;
  readonly dbeta: VectorTarget | null;
  /** The planes of the gradient by what is standardized: of this norm alone, or of all that share it. */
  readonly coefficients: Tensor;
  readonly shared: { readonly size: number; readonly first: boolean } | null;
  readonly writes: readonly Tensor[];
  readonly reads: readonly Tensor[];
}

/** Merges `partials` `[partialCount, 2, channels]`; see norm-gradient.ts of the kernels. */
export function lowerNormGradient(
  l: Lowering,
  { channels, rows, planes, dgamma, dbeta, coefficients, shared }: NormGradientTarget,
  partialCount: number,
  partials: Operand,
): void {
  const known = dgamma ?? dbeta;
  const begin = known?.begin ?? 0;
  const alignment = known?.stacked ? STACK_ALIGNMENT : 4;
  const filled = Math.ceil(channels / alignment) * alignment;
  const to = (target: VectorTarget | null): Operand => target?.tensor ?? l.scratch(4 * (begin + filled));
  const place = {
    channels,
    alignment,
    parametersBegin: begin,
    normBegin: planes.begin,
    normSize: planes.size,
    rows,
    partialCount,
  };
  const operands = { partials, norm: planes.tensor, dgamma: to(dgamma), dbeta: to(dbeta) };
  if (shared) {
    const kernel = mergeSharedNormGradient(l.target, {
      ...place,
      jointSize: shared.size,
      first: shared.first,
    });
    l.dispatch(kernel, { ...operands, joint: coefficients });
  } else l.dispatch(mergeNormGradient(l.target, place), { ...operands, coefficients });
}
