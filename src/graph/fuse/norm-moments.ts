/** @file What follows a product that leaves moments for batch norms: those of its tiles become the channels', and planes of norms. */
import { foldNorm, mergeMomentsIntoNorm, mergeTileMoments } from "../../kernels/fold-norm.ts";
import type { NormPlace } from "../../kernels/fold-norm.ts";
import type { Tensor } from "../graph.ts";
import type { Lowering, Operand } from "../op.ts";
import type { NormTable } from "./norm-tables.ts";

/** The planes of a norm, to be made as soon as the moments of its last channels are known. */
export interface FoldedNorm {
  readonly table: NormTable;
  readonly place: NormPlace;
}

/** Where the moments go: to `begin` and following of `mean` and `variance`, and to the planes of `norms`. */
export interface MomentsTarget {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly begin: number;
  readonly norms: readonly FoldedNorm[];
}

/** Merges the moments that the tiles of `fresh` channels left. */
export function lowerMomentsOfNorms(
  l: Lowering,
  { mean, variance, begin, norms }: MomentsTarget,
  fresh: number,
  partialCount: number,
  partials: Record<"partials" | "counts", Operand>,
): void {
  const [first, ...others] = norms;
  if (first) {
    const { table, place } = first;
    const kernel = mergeMomentsIntoNorm(l.target, place, { fresh, partialCount });
    const { gamma, beta, planes } = table;
    l.dispatch(kernel, { ...partials, gamma, beta, mean, variance, norm: planes });
  } else
    l.dispatch(mergeTileMoments(l.target, { begin, fresh, partialCount }), { ...partials, mean, variance });
  for (const { table, place } of others) {
    const { gamma, beta, planes } = table;
    l.dispatch(foldNorm(l.target, place), { mean, variance, gamma, beta, norm: planes });
  }
}
