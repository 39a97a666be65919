/** @file The gradient of a stack of parameters: whoever makes the gradient of a part stores it where it belongs. */
import { fillForward, fillGaps } from "../../kernels/fill.ts";
import type { Gap } from "../../kernels/fill.ts";
import { copyNumbers } from "../../kernels/copy.ts";
import type { Node, Tensor } from "../graph.ts";
import { STACK_ALIGNMENT } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { JoinedPart, Op } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { Readers } from "./readers.ts";

/** How a part is stored: alone, filled up with zeros to where the next part may begin, or not at all, as it is zero itself. */
export type Stored = "exact" | "filled" | "zero";

export interface Joins {
  /** Where the gradient `part` is to be stored, from now on by its maker; null where it is no part of a stack's alone. */
  take(part: Tensor, stored: Stored): { readonly tensor: Tensor; readonly begin: number } | null;
  /** What remains of the nodes that join. */
  replacements(): Iterable<readonly [Node, readonly Node[]]>;
}

interface Join {
  readonly node: Node;
  readonly parts: readonly JoinedPart[];
  readonly taken: Map<Tensor, Stored>;
}

export function fuseJoins(nodes: readonly Node[], readers: Readers): Joins {
  const homes = new Map<Tensor, { join: Join; begin: number }>();
  const joins = nodes.flatMap((node): Join[] => {
    const { pattern } = node.op;
    if (pattern?.kind !== "joinParts") return [];
    const join = { node, parts: pattern.parts, taken: new Map<Tensor, Stored>() };
    for (const { begin, values } of pattern.parts) homes.set(values, { join, begin });
    return [join];
  });
  return {
    take(part, stored) {
      const home = homes.get(part);
      if (!home || readers.isKept(part) || readers.of(part).length > 1) return null;
      home.join.taken.set(part, stored);
      return { tensor: home.join.node.outputs[0], begin: home.begin };
    },
    *replacements() {
      for (const join of joins) if (join.taken.size > 0) yield [join.node, remaining(join)];
    },
  };
}

/** A node for the parts that nobody stores where they belong, and for what lies between parts. */
function remaining({ node, parts, taken }: Join): Node[] {
  const [joined] = node.outputs;
  const filledParts = parts.filter(({ values }) => taken.get(values) !== "zero");
  const copied = parts.filter(({ values }) => !taken.has(values));
  const gaps: Gap[] = [];
  let end = 0;
  const gapTo = (begin: number): void => {
    if (begin > end) gaps.push({ begin: end, count: begin - end });
  };
  for (const { begin, values } of filledParts) {
    gapTo(begin);
    const size = sizeOf(values.shape);
    const filled = taken.get(values) === "filled";
    end = begin + (filled ? Math.ceil(size / STACK_ALIGNMENT) * STACK_ALIGNMENT : size);
  }
  gapTo(sizeOf(joined.shape));
  if (copied.length + gaps.length === 0) return [];
  const op: Op = {
    ...node.op,
    writes: [joined],
    lower(l) {
      if (gaps.length === 1)
        l.dispatch(fillForward(l.target, gaps[0].count, 0, gaps[0].begin), { y: joined });
      else if (gaps.length > 1) l.dispatch(fillGaps(l.target, gaps), { y: joined });
      for (const { begin, values } of copied) {
        const count = sizeOf(values.shape);
        l.dispatch(copyNumbers(l.target, count), {
          x: values,
          y: batchSlice(joined, { first: begin, count }),
        });
      }
    },
  };
  return [{ ...node, op, inputs: copied.map(({ values }) => values) }];
}
