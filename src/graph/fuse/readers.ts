import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";

/** Who reads what in a program. */
export interface Readers {
  /** The nodes that read `tensor`, each once. */
  of(tensor: Tensor): readonly Node[];
  /** Whether the caller will read it. */
  isKept(tensor: Tensor): boolean;
  /** Whether anybody does. */
  isRead(tensor: Tensor): boolean;
}

export function readersOf(nodes: readonly Node[], outputs: Iterable<Tensor>): Readers {
  const kept = new Set([...outputs].map(storageOf));
  const readers = new Map<Tensor, Set<Node>>();
  for (const node of nodes) {
    // An identity reads nothing by itself; what reads it reads the tensor behind it.
    if (node.op.identity) continue;
    for (const input of node.inputs) {
      const tensor = storageOf(input);
      const known = readers.get(tensor);
      if (known) known.add(node);
      else readers.set(tensor, new Set([node]));
    }
  }
  const of = (tensor: Tensor): readonly Node[] => [...(readers.get(storageOf(tensor)) ?? [])];
  const isKept = (tensor: Tensor): boolean => kept.has(storageOf(tensor));
  return { of, isKept, isRead: (tensor) => isKept(tensor) || of(tensor).length > 0 };
}
