import { partialSums, sumRows } from "../../kernels/sum-rows.ts";
import type { Tensor } from "../graph.ts";
import type { Lowering, Scratch } from "../op.ts";

/**
 * Sums each of `rows` rows of `length` values, times `scale`, into `to`, from element `begin` on, in as many passes as it
 * takes.
 */
export function lowerSum(
  l: Lowering,
  from: Scratch,
  rows: number,
  length: number,
  to: Tensor | Scratch,
  options: { scale?: number; begin?: number } = {},
): void {
  let x = from;
  while (partialSums(length) > 1) {
    const partials = l.scratch(4 * rows * partialSums(length));
    l.dispatch(sumRows(l.target, rows, length), { x, y: partials });
    x = partials;
    length = partialSums(length);
  }
  l.dispatch(sumRows(l.target, rows, length, options), { x, y: to });
}
