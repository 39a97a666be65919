import type { Kernel } from "../kernels/kernel.ts";
import type { Node, Tensor } from "./graph.ts";
import type { Scratch } from "./op.ts";

/** A part of a tensor or scratch buffer. */
export interface Bound {
  readonly owner: Tensor | Scratch;
  /** In bytes from the start of the owner. */
  readonly offset: number;
  readonly bytes: number;
}

/** That part as one binding of one dispatch. */
export interface Binding extends Bound {
  readonly access: "read" | "read_write";
}

/** A kernel with what its storage bindings are bound to, in binding order. */
export interface Dispatch {
  readonly kernel: Kernel;
  readonly bindings: readonly Binding[];
  readonly node: Node;
}
