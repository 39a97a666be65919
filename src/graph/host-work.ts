/** @file Where a run stops for the host to work on what has been computed, and goes on with what it has made of it. */
import type { Dispatch } from "./dispatch.ts";
import type { Node, Tensor } from "./graph.ts";

/** See `Op.onHost`. */
export interface HostWork {
  /** How many dispatches of the run have run when it is the host's turn. */
  readonly after: number;
  /** What is to be done. */
  readonly what: string;
  /** With what: f32. */
  readonly tensors: readonly Tensor[];
}

/** In the order in which it comes. */
export function hostWorkOf(dispatches: readonly Dispatch[]): HostWork[] {
  const last = new Map<Node, number>();
  dispatches.forEach(({ node }, i) => {
    if (node.op.onHost !== undefined) last.set(node, i);
  });
  return [...last].map(([{ op, outputs }, i]) => ({ after: i + 1, what: op.onHost!, tensors: outputs }));
}
