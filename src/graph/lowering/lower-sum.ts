import { partialSums, sumRows } from "../../kernels/sum-rows.ts";
import type { Tensor } from "../graph.ts";
import type { Lowering, Scratch } from "../op.ts";

/**
 * Sums each of `rows` rows of `length` values, times `scale`, into `to`, from element `begin` on, in as many passes as it
 * takes. With `counts`, as large as `to`, each sum is divided by the count at its place, or by 1 where that is 0.
 */
export function lowerSum(
  l: Lowering,
  from: Scratch,
  rows: number,
  length: number,
  to: Tensor | Scratch,
  { counts, ...options }: { scale?: number; begin?: number; counts?: Tensor | undefined } = {},
): void {
  let x = from;
  while (partialSums(length) > 1) {
    const partials = l.scratch(4 * rows * partialSums(length));
    l.dispatch(sumRows(l.target, rows, length), { x, y: partials });
    x = partials;
    length = partialSums(length);
  }
  const last = sumRows(l.target, rows, length, { ...options, divided: counts !== undefined });
  l.dispatch(last, { x, ...(counts && { counts }), y: to });
}
