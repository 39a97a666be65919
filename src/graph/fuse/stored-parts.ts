/** @file Gradients of parts of a stack that ops make by themselves: they store them where they belong, and nobody copies them. */
import type { Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Lowering, Op, Operand } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { Joins } from "./joins.ts";

/** Where a part lies in the gradient of its stack. */
type PartPlace = NonNullable<ReturnType<Joins["take"]>>;

/** `node` that stores those of its outputs that are parts of a stack's gradient there; null where none is. */
export function storingParts(node: Node, joins: Joins): Node | null {
  const { op, outputs } = node;
  if (!op.lower || op.identity) return null;
  const places = new Map<Tensor, PartPlace>();
  for (const output of outputs) {
    const place = output.dtype === "f32" ? joins.take(output, "exact") : null;
    if (place) places.set(output, place);
  }
  if (places.size === 0) return null;
  const moved: Op = {
    ...op,
    writes: [...outputs, ...[...places.values()].map(({ tensor }) => tensor), ...(op.writes ?? [])],
    lower: (l, outputs) => op.lower!(movedLowering(l, places), outputs),
  };
  return { ...node, op: moved };
}

/** `l`, with what lies elsewhere bound there. */
function movedLowering(l: Lowering, places: ReadonlyMap<Tensor, PartPlace>): Lowering {
  const at = (operand: Operand): Operand => {
    const [tensor, range] = "tensor" in operand ? [operand.tensor, operand.range] : [operand, null];
    const place = "scratch" in tensor ? undefined : places.get(tensor);
    if (!place || "scratch" in tensor) return operand;
    const perItem = range ? sizeOf(tensor.shape.slice(1)) : 1;
    const { first, count } = range ?? { first: 0, count: sizeOf(tensor.shape) };
    return batchSlice(place.tensor, { first: place.begin + first * perItem, count: count * perItem });
  };
  return {
    ...l,
    dispatch: (kernel, operands) =>
      l.dispatch(
        kernel,
        Object.fromEntries(Object.entries(operands).map(([name, operand]) => [name, at(operand)])),
      ),
    sum: (sums) => l.sum(sums.map((sum) => ({ ...sum, partials: at(sum.partials), result: at(sum.result) }))),
    uses: (output) => places.has(output) || l.uses(output),
    overwrites: (input, output) => !places.has(output) && l.overwrites(input, output),
  };
}
