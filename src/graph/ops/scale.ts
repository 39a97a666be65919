import { scaleByForward, scaleFactorBackward, scaleForward } from "../../kernels/scale.ts";
import type { Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import { partialSums } from "../../kernels/sum-rows.ts";
import { lowerSum } from "../lowering/lower-sum.ts";
import { shapeText, sizeOf } from "../shape.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";
import type { DType } from "../shape.ts";

/**
 * `factor · x`, elementwise, any shape. The factor is a number, or a tensor of one f32, `[]`, that is known only when the
 * program runs and has a gradient as x has.
 *
 * @throws Error when the factor is a tensor that is no f32 scalar.
 */
export function scale<D extends DType>(x: Tensor<D>, factor: number | Tensor): Tensor<D> {
  if (typeof factor !== "number") return scaleBy(x, factor);
  return x.graph.apply(
    {
      name: "scale",
      family: "elementwise",
      outputs: [x],
      lower: (l, [y]) =>
        lowerElementwise(l, (target, count) => scaleForward(target, count, factor), { x, y }),
      gradient: ([dy]) => [() => scale(dy!, factor)],
    },
    [x],
  ).outputs[0];
}

function scaleBy<D extends DType>(x: Tensor<D>, factor: Tensor): Tensor<D> {
  if (factor.dtype !== "f32" || factor.shape.length !== 0) {
    throw new Error(
      `scale: the factor must be an f32 scalar; "${factor.name}" is ${factor.dtype} ${shapeText(factor.shape)}.`,
    );
  }
  const perItem = sizeOf(x.shape.slice(1));
  return x.graph.apply(
    {
      name: "scale",
      family: "elementwise",
      outputs: [x],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = scaleByForward(l.target, range.count * perItem);
          l.dispatch(kernel, { x: slice(x, range), factor, y: slice(y, range) });
        }
      },
      // Of a loss that is scaled dy is 1: the factor itself.
      gradient: ([dy]) => [
        () => (dy!.node?.op.constant === 1 && x.shape.length === 0 ? factor : scale(dy!, factor)),
        () => factorGradient(x, dy!),
      ],
    },
    [x, factor],
  ).outputs[0];
}

/** Σ x·dy, a scalar. */
function factorGradient(x: Tensor, dy: Tensor): Tensor {
  const perItem = sizeOf(x.shape.slice(1));
  return x.graph.apply(
    {
      name: "scale_factor_gradient",
      outputs: [{ shape: [], dtype: "f32" }],
      lower(l, [dfactor]) {
        const ranges = l.slices([x, dy]).map((range) => ({ range, length: range.count * perItem }));
        const count = ranges.reduce((sum, { length }) => sum + partialSums(length), 0);
        const sums = l.scratch(4 * count);
        let begin = 0;
        for (const { range, length } of ranges) {
          const kernel = scaleFactorBackward(l.target, length, begin);
          l.dispatch(kernel, { x: slice(x, range), dy: slice(dy, range), sums });
          begin += partialSums(length);
        }
        lowerSum(l, sums, 1, count, dfactor);
      },
    },
    [x, dy],
  ).outputs[0];
}
