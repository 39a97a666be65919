import { normSlope, squareRoot, sumSquares } from "../../kernels/global-norm.ts";
import { tensorsAtOnce } from "../../kernels/text/several-tensors.ts";
import { partialSums } from "../../kernels/sum-rows.ts";
import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import { scale } from "./scale.ts";
import { lowerSum } from "../lowering/lower-sum.ts";
import { groupsOf, lengthOf, partsOf } from "../lowering/tensor-groups.ts";

/**
 * The Euclidean norm of all of `tensors` together, sqrt(Σ x²) (`tf.linalg.global_norm`), a scalar. It is not finite when a
 * value is not or when the sum of squares overflows. Equal numbers give equal norms, bit by bit. Where the norm is 0 its
 * gradient is 0 (as `torch.linalg.vector_norm`'s).
 *
 * @throws Error when there is no tensor or one is not f32.
 */
export function globalNorm(tensors: readonly Tensor[]): Tensor<"f32"> {
  if (tensors.length === 0) throw new Error("globalNorm takes one tensor or more and was given none.");
  for (const { name, dtype, shape } of tensors) {
    if (dtype !== "f32") throw new Error(`globalNorm takes f32; "${name}" is ${dtype} ${shapeText(shape)}.`);
  }
  return tensors[0].graph.apply(
    {
      name: "global_norm",
      family: "optimizer",
      outputs: [{ shape: [], dtype: "f32" }],
      lower(l, [norm]) {
        const parts = groupsOf(tensorsAtOnce(l.target, 1, 1), partsOf(l, tensors)).map((group) => ({
          group,
          lengths: group.map(lengthOf),
        }));
        const partialsOf = (lengths: readonly number[]): number =>
          lengths.reduce((sum, length) => sum + partialSums(length), 0);
        const count = parts.reduce((sum, { lengths }) => sum + partialsOf(lengths), 0);
        const sums = l.scratch(4 * count);
        let begin = 0;
        for (const { group, lengths } of parts) {
          const read = group.map((part, i) => [`x${i}`, part] as const);
          l.dispatch(sumSquares(l.target, lengths, begin), { ...Object.fromEntries(read), sums });
          begin += partialsOf(lengths);
        }
        const squares = l.scratch(4);
        lowerSum(l, sums, 1, count, squares);
        l.dispatch(squareRoot(l.target), { squares, norm });
      },
      gradient([dy], [norm]) {
        let made: Tensor | undefined;
        const slope = (): Tensor => (made ??= slopeOf(norm, dy!));
        return tensors.map((x) => () => scale(x, slope()));
      },
    },
    tensors,
  ).outputs[0];
}

/** What each tensor is multiplied by to be its gradient. */
function slopeOf(norm: Tensor, dy: Tensor): Tensor {
  return norm.graph.apply(
    {
      name: "norm_slope",
      outputs: [norm],
      lower: (l, [slope]) => l.dispatch(normSlope(l.target), { norm, dy, slope }),
    },
    [norm, dy],
  ).outputs[0];
}
