import { reduce, reductionLayout } from "../../kernels/reduce.ts";
import type { ReductionKind } from "../../kernels/reduce.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Formula, Lowering, Operand } from "../op.ts";
import { bytesOf, sizeOf } from "../shape.ts";
import { alongBatch, partOf } from "./formula.ts";

/**
 * Reduces a formula's values over `axes` to `y`, f32, in one dispatch or two; a batch that is too large is cut. A sum is multiplied
 * by `scale`.
 */
export function lowerReduction(
  l: Lowering,
  kind: ReductionKind,
  formula: Formula,
  axes: readonly number[],
  y: Tensor,
  scale = 1,
): void {
  const { shape } = formula;
  const overBatch = shape.length === 0 || axes.includes(0);
  // Results are few and bound whole, where that may be: a part of them need not begin where a binding may.
  const whole = bytesOf(y) <= l.target.maxBindingBytes;
  const cut = [...alongBatch(formula), ...(overBatch || whole ? [] : [y])];
  const ranges = cut.length > 0 ? l.slices(cut) : [{ first: 0, count: shape[0] ?? 1 }];
  const pieces = ranges.map((range) => {
    const part = partOf(formula, range);
    return { range, ...part, layout: reductionLayout(l.target, part.chain, axes) };
  });
  /** Brings pieces of the same results to `to`, from result `from` on. */
  const run = (some: typeof pieces, results: number, to: Operand, from: number): void => {
    const total = some.reduce((sum, { layout }) => sum + layout.parts, 0);
    const partials = total > 1 ? l.scratch(4 * total * results) : null;
    let begin = 0;
    for (const { chain, operands, layout } of some) {
      const options = partials ? { begin, total } : { from, scale };
      l.dispatch(reduce(l.target, kind, chain, axes, layout, options), { ...operands, y: partials ?? to });
      begin += layout.parts;
    }
    if (!partials) return;
    const { inner } = some[0].layout;
    const both = inner ? [results, total] : [total, results];
    const chain = { shape: both, sources: { x0: { shape: both, uint: false } }, steps: [] };
    const over = [inner ? 1 : 0];
    const layout = reductionLayout(l.target, chain, over, { whole: true });
    l.dispatch(reduce(l.target, kind, chain, over, layout, { from, scale }), { x0: partials, y: to });
  };
  if (overBatch) run(pieces, sizeOf(y.shape), y, 0);
  else {
    const perItem = sizeOf(y.shape) / shape[0];
    for (const piece of pieces) {
      const { first, count } = piece.range;
      run([piece], count * perItem, whole ? y : batchSlice(y, piece.range), whole ? first * perItem : 0);
    }
  }
}
