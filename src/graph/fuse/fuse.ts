/**
 * @file Runs several ops as one: a rewrite of what a program will run, which changes neither its inputs nor its outputs.
 *
 * Ops bring the rewritings that they are part of (`Op.rewriting`): convolutions product-rewrite.ts, batch norms
 * products-and-norms.ts, stacks of parameters stacks.ts. Chains, which any elementwise op may be part of, come last: of elementwise ops one after the
 * other only the last one stores its result, and a reduction makes what it reduces; what several of them read is computed
 * again, where that is little. Numbers that are the same everywhere are arguments.
 *
 * What cannot be rewritten stays as it is. `compile(…, { fuse: false })` runs every op by itself and is the reference.
 */
import type { KernelTarget } from "../../kernels/kernel.ts";
import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import type { Rewriting } from "../op.ts";
import { fuseChains } from "./chains.ts";

/** `nodes`, in an order in which they can run, rewritten; `outputs` and the variables that they update become the same. */
export function fuse(nodes: readonly Node[], outputs: readonly Tensor[], target: KernelTarget): Node[] {
  let rewritten = nodes;
  for (const rewriting of rewritingsOf(nodes)) rewritten = rewriting.run(rewritten, outputs, target);
  return needed(fuseChains(rewritten, new Set(nodes), outputs, target), outputs);
}

/** Those that the ops of a program bring, each once, less those that others include. */
function rewritingsOf(nodes: readonly Node[]): Rewriting[] {
  const all = new Set(nodes.flatMap(({ op }) => op.rewriting ?? []));
  const included = new Set([...all].flatMap(({ includes }) => includes));
  return [...all].filter((rewriting) => !included.has(rewriting));
}

/** Those of `nodes` that lead to `outputs` or update a variable. */
function needed(nodes: readonly Node[], outputs: readonly Tensor[]): Node[] {
  const wanted = new Set<Tensor>(outputs.map(storageOf));
  const kept: Node[] = [];
  for (const node of [...nodes].reverse()) {
    const { updates = [], writes = [] } = node.op;
    const made = [...node.outputs, ...writes];
    if (updates.length === 0 && !made.some((tensor) => wanted.has(tensor))) continue;
    kept.push(node);
    for (const input of node.inputs) {
      wanted.add(input);
      wanted.add(storageOf(input));
    }
  }
  return kept.reverse();
}
