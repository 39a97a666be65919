import { addSeveral, mostTermsAtOnce } from "../../kernels/add.ts";
import type { Tensor } from "../graph.ts";
import { groupsOf } from "../lowering/tensor-groups.ts";
import { batchSlice } from "../op.ts";
import { sameShape, shapeText, sizeOf } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * Sum of tensors of one shape, elementwise (`tf.addN`), in as few passes over the result as the adapter can bind tensors; f16
 * where one of them is. Of one tensor, itself.
 *
 * @throws Error when there is none, or shapes differ.
 */
export function addN<D extends DType>(tensors: readonly Tensor<D>[]): Tensor<D> {
  if (tensors.length === 0) throw new Error("addN takes at least one tensor.");
  const [first, ...rest] = tensors;
  const other = rest.find(({ shape }) => !sameShape(shape, first.shape));
  if (other) {
    throw new Error(
      `addN: "${first.name}" ${shapeText(first.shape)} and "${other.name}" ${shapeText(other.shape)} differ in shape.`,
    );
  }
  if (rest.length === 0) return first;
  const perItem = sizeOf(first.shape.slice(1));
  const dtype = (tensors.some((x) => x.dtype === "f16") ? "f16" : "f32") as D;
  return first.graph.apply(
    {
      name: "add_n",
      family: "elementwise",
      outputs: [{ shape: first.shape, dtype }],
      pattern: { kind: "sum", terms: tensors },
      lower(l, [y]) {
        const groups = groupsOf(mostTermsAtOnce(l.target), tensors);
        for (const range of l.slices([...tensors, y])) {
          groups.forEach((group, i) => {
            const options = { accumulate: i > 0 };
            const terms = group.map((x, j) => [`x${j}`, batchSlice(x, range)] as const);
            l.dispatch(addSeveral(l.target, range.count * perItem, group.length, options), {
              ...Object.fromEntries(terms),
              y: batchSlice(y, range),
            });
          });
        }
      },
      gradient: ([dy]) => tensors.map(() => () => dy!),
    },
    tensors,
  ).outputs[0];
}
