/** @file Sums that one of the products whose results they add up can make in passing. */
import type { Node, Tensor } from "../graph.ts";
import type { TapsPattern } from "../lowering/taps.ts";
import { bendsAlike, passesBackTo } from "./activations.ts";
import type { Readers } from "./readers.ts";
import type { Sum } from "./sums.ts";

export interface Adder {
  /** Its result, passed back through `activationGradient` unless that is null, and the `others` are the sum. */
  readonly product: Node;
  readonly activationGradient: Node | null;
  readonly others: readonly Tensor[];
  /** How many buffers it binds. */
  readonly buffers: number;
}

/** Buffers that a product binds besides for a sum that passes back through a batch norm: its input, its planes, partials. */
export const NORM_GRADIENT_BUFFERS = 3;

/** By the roots of the sums; `maxBuffers` a kernel may bind. */
export function findAdders(
  sums: Iterable<Sum>,
  readers: Readers,
  { order, maxBuffers }: { readonly order: ReadonlyMap<Node, number>; readonly maxBuffers: number },
): Map<Node, Adder> {
  const adders = new Map<Node, Adder>();
  for (const { root, terms, activation, absorbed } of sums) {
    if (activation !== "linear") continue;
    const parts = new Set([root, ...absorbed]);
    const possible = terms.flatMap((term, i): Adder[] => {
      const others = terms.filter((_, j) => j !== i);
      if (others.includes(term) || !others.every(isStored)) return [];
      const adder = adderOf(term, others, parts, readers);
      return adder && adder.buffers <= maxBuffers ? [adder] : [];
    });
    // The latest one keeps what it reads alive for the shortest time.
    const [last] = possible.sort((a, b) => order.get(b.product)! - order.get(a.product)!);
    if (last) adders.set(root, last);
  }
  return adders;
}

/** What sums may make in passing, so that it is not stored. */
const MADE = new Set<string | undefined>(["affine", "batchNorm", "activation", "scaled", "spread"]);

const isStored = ({ node }: Tensor): boolean => !MADE.has(node?.op.pattern?.kind);

function adderOf(
  term: Tensor,
  others: readonly Tensor[],
  sum: ReadonlySet<Node>,
  readers: Readers,
): Adder | null {
  const { node } = term;
  if (
    !node ||
    term.shape[3] % 4 !== 0 ||
    readers.isKept(term) ||
    !readers.of(term).every((reader) => sum.has(reader))
  )
    return null;
  const { pattern } = node.op;
  if (pattern?.kind === "activationGradient") {
    if (!bendsAlike(pattern.of) || !passesBackTo(node, pattern.dy, readers)) return null;
    const product = pattern.dy.node!;
    const buffers = buffersOf(product.op.pattern as TapsPattern) + 1 + others.length;
    return { product, activationGradient: node, others, buffers };
  }
  if (pattern?.kind !== "taps" || pattern.taps.channels.length > 1 || node.outputs[0] !== term) return null;
  if (node.outputs.slice(1).some((moments) => readers.isRead(moments))) return null;
  return { product: node, activationGradient: null, others, buffers: buffersOf(pattern) + others.length };
}

/** Buffers that a product binds at most, whatever it makes of what it loads. */
function buffersOf({ sources, bias }: TapsPattern): number {
  const kind = sources[0].node?.op.pattern?.kind;
  const ofSource = kind === "standardizeGradient" ? 3 : Math.max(2, sources.length);
  return ofSource + 1 + (bias ? 1 : 0) + 1;
}
