/**
 * @file Updates that do not wait for the end of a run: each runs as soon as what it reads is there, and the variables that it has
 * updated can be read then, while the GPU works on the rest.
 */
import type { Binding, Dispatch } from "./dispatch.ts";
import { beginOf, storageOf, variableParts } from "./graph.ts";
import type { Node, Tensor, VariablePart } from "./graph.ts";
import { sizeOf } from "./shape.ts";

/** See `Goals.taps`. */
export interface Tap {
  /** How many dispatches of the run have run when it has. */
  readonly after: number;
  /** What it has updated: variables, or parts of stacked ones. */
  readonly updates: readonly Tensor[];
}

/** Some of the elements of a variable. */
export interface VariableRange {
  /** The whole of it. */
  readonly variable: Tensor;
  /** The first element. */
  readonly begin: number;
  /** The one behind the last. */
  readonly end: number;
}

/** Where in variables the tensors that a tap updates lie. */
export const rangesOf = ({ updates }: Pick<Tap, "updates">): VariableRange[] =>
  updates.map((tensor) => {
    const begin = beginOf(tensor);
    return { variable: storageOf(tensor), begin, end: begin + sizeOf(tensor.shape) };
  });

/** The parts of a variable that lie within a range. */
export const partsWithin = ({ variable, begin, end }: VariableRange): VariablePart[] =>
  variableParts(variable).filter(({ shape }, i) => {
    const first = variable.variable!.begins[i];
    return first >= begin && first + sizeOf(shape) <= end;
  });

/**
 * Moves the dispatches of `taps` forward: each right behind the last one before it that makes what it reads or has to do with what it
 * writes, and none before those of an earlier tap.
 *
 * @throws Error when a tap updates nothing, has no dispatch, or updates a part of a stacked variable by halves.
 */
export function moveTaps(
  dispatches: readonly Dispatch[],
  taps: Readonly<Record<string, Node>>,
): { readonly dispatches: readonly Dispatch[]; readonly taps: ReadonlyMap<string, Tap> } {
  const entries = Object.entries(taps);
  const moved = new Map<string, Tap>();
  if (entries.length === 0) return { dispatches, taps: moved };

  const tapOps = new Set(entries.map(([, { op }]) => op));
  const others = dispatches.filter(({ node }) => !tapOps.has(node.op));
  const places = new Map(dispatches.map((dispatch, i) => [dispatch, i]));
  const ordered: Dispatch[] = [];
  let taken = 0;
  for (const [name, { op }] of entries) {
    const own = dispatches.filter(({ node }) => node.op === op);
    const { updates = [] } = op;
    if (updates.length === 0 || own.length === 0)
      throw new Error(`The tap "${name}" is no node that updates variables.`);
    checkParts(name, rangesOf({ updates }));
    for (const dispatch of own) {
      const place = places.get(dispatch)!;
      const behind = others.findLastIndex(
        (other) => places.get(other)! < place && depends(dispatch.bindings, other.bindings),
      );
      while (taken <= behind) ordered.push(others[taken++]);
      ordered.push(dispatch);
    }
    moved.set(name, { after: ordered.length, updates });
  }
  return { dispatches: [...ordered, ...others.slice(taken)], taps: moved };
}

/** What is read of a variable is read by its parts' names. */
function checkParts(name: string, ranges: readonly VariableRange[]): void {
  for (const { variable, begin, end } of ranges) {
    variableParts(variable).forEach((part, i) => {
      const first = variable.variable!.begins[i];
      const behind = first + sizeOf(part.shape);
      if (behind <= begin || end <= first || (begin <= first && behind <= end)) return;
      throw new Error(`The tap "${name}" updates some of "${part.name}" and not all of it.`);
    });
  }
}

/** Whether one of two dispatches writes what the other one reads or writes. */
const depends = (some: readonly Binding[], others: readonly Binding[]): boolean =>
  some.some((a) =>
    others.some(
      (b) =>
        (a.access !== "read" || b.access !== "read") &&
        a.owner === b.owner &&
        a.offset < b.offset + b.bytes &&
        b.offset < a.offset + a.bytes,
    ),
  );
