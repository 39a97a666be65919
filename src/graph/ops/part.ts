import { copyNumbers } from "../../kernels/copy.ts";
import type { Tensor } from "../graph.ts";
import { STACK_ALIGNMENT, variableParts } from "../graph.ts";
import { stacks } from "../fuse/stacks.ts";
import { batchSlice } from "../op.ts";
import type { JoinedPart } from "../op.ts";
import { shapeText, sizeOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { fill } from "./fill.ts";

/**
 * The part of a stacked variable that is called `name`, in its own shape; it lies where it lies and costs nothing. The
 * gradient of a stack is made of those of its parts.
 *
 * @throws Error when `stack` has no such part.
 */
export function part(stack: Tensor, name: string): Tensor {
  const parts = variableParts(stack);
  const index = parts.findIndex((each) => each.name === name);
  if (index < 0) throw new Error(`part: "${stack.name}" has no part "${name}".`);
  return partAt(stack, stack.variable!.begins[index], parts[index].shape);
}

/**
 * `shape` numbers of `x`, one after the other from element `begin` on.
 *
 * @throws Error when x does not have them all, or `begin` is not a multiple of `STACK_ALIGNMENT`.
 */
export function partAt(x: Tensor, begin: number, shape: Shape): Tensor {
  if (begin % STACK_ALIGNMENT !== 0 || begin < 0 || begin + sizeOf(shape) > sizeOf(x.shape)) {
    throw new Error(
      `partAt: "${x.name}" ${shapeText(x.shape)} has no ${shapeText(shape)} from element ${begin} on.`,
    );
  }
  return x.graph.apply(
    {
      name: "part",
      identity: true,
      begin,
      joinParts,
      outputs: [{ shape, dtype: x.dtype }],
      gradient: ([dy]) => [() => joinParts(x, [{ begin, values: dy! }])],
    },
    [x],
  ).outputs[0];
}

/** A tensor of the shape of `stack` that holds `parts`, which do not overlap, and zero everywhere else. */
export function joinParts(stack: Tensor, parts: readonly JoinedPart[]): Tensor {
  const sorted = [...parts].sort((a, b) => a.begin - b.begin);
  const gaps: { begin: number; end: number }[] = [];
  let end = 0;
  for (const { begin, values } of sorted) {
    if (begin > end) gaps.push({ begin: end, end: begin });
    end = begin + sizeOf(values.shape);
  }
  if (end < sizeOf(stack.shape)) gaps.push({ begin: end, end: sizeOf(stack.shape) });
  // A gap may begin where no binding can, so all of it is set to zero before the parts come.
  const zero = gaps.length > 0 ? [fill(stack.graph, stack.shape, 0)] : [];
  return stack.graph.apply(
    {
      name: "join_parts",
      family: "copy",
      outputs: [{ shape: stack.shape, dtype: "f32" }],
      pattern: { kind: "joinParts", parts: sorted },
      rewriting: stacks,
      lower(l, [y]) {
        const size = sizeOf(stack.shape);
        if (zero.length > 0 && !l.overwrites(zero[0], y))
          l.dispatch(copyNumbers(l.target, size), { x: zero[0], y });
        for (const { begin, values } of sorted) {
          const count = sizeOf(values.shape);
          l.dispatch(copyNumbers(l.target, count), { x: values, y: batchSlice(y, { first: begin, count }) });
        }
      },
      gradient: ([dy]) => [
        ...sorted.map(
          ({ begin, values }) =>
            () =>
              partAt(dy!, begin, values.shape),
        ),
        ...zero.map(() => null),
      ],
    },
    [...sorted.map(({ values }) => values), ...zero],
  ).outputs[0];
}
