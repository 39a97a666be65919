/**
 * @file Runs several ops as one: a rewrite of what a program will run, which changes neither its inputs nor its outputs.
 *
 * - **Prologue.** A batch norm with its activation, an activation alone, and the gradient of a standardization are never
 *   stored where products alone read them: these make them while they load. A sum makes norms and activations so, too.
 * - **Epilogue.** A convolution finds the moments of its result while it stores it. Where its result passes back through an
 *   activation and a batch norm, it does so on its way out, with the sums that γ and β want, and where it is added to others,
 *   it adds them.
 * - **Placement.** What is joined along the channels lies in one tensor from the start, and a gradient in its stack.
 * - **Chains.** Of elementwise ops one after the other only the last one stores its result, and a reduction makes what it reduces; what several
 *   of them read is computed again, where that is little. Numbers that are the same everywhere are arguments.
 *
 * Products are convolutions, transposed and depthwise ones, and their gradients.
 *
 * What cannot be rewritten stays as it is. `compile(…, { fuse: false })` runs every op by itself and is the reference.
 */
import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { fuseChains } from "./chains.ts";
import { Rewrite } from "./rewrite.ts";
import type { RewriteLimits } from "./rewrite.ts";

/** `nodes`, in an order in which they can run, rewritten; `outputs` and the variables that they update become the same. */
export function fuse(nodes: readonly Node[], outputs: readonly Tensor[], limits: RewriteLimits): Node[] {
  const rewritten = new Rewrite(nodes, outputs, limits).run();
  return needed(fuseChains(rewritten, new Set(nodes), outputs, limits), outputs);
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
