import type { Kernel } from "../kernels/kernel.ts";
import type { Node, Tensor } from "./graph.ts";
import type { Scratch } from "./op.ts";

/** A part of a tensor or scratch buffer. */
export interface Bound {
  /** What it is a part of. */
  readonly owner: Tensor | Scratch;
  /** In bytes from the start of the owner. */
  readonly offset: number;
  /** How long it is. */
  readonly bytes: number;
}

/** That part as one binding of one dispatch. */
export interface Binding extends Bound {
  /** Whether the kernel may write it. */
  readonly access: "read" | "read_write";
}

/** A kernel with what its storage bindings are bound to, in binding order. */
export interface Dispatch {
  /** What runs. */
  readonly kernel: Kernel;
  /** What it reads and writes, in the kernel's order. */
  readonly bindings: readonly Binding[];
  /** The node of the graph that it is part of. */
  readonly node: Node;
}
