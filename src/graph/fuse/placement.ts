/**
 * @file Concatenation without copies: what is joined along the channels is stored where it belongs from the start, and a
 * slice is read where it lies.
 */
import { copyChannels } from "../../kernels/copy-channels.ts";
import { allChannels } from "../../kernels/text/channel-range.ts";
import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Op } from "../op.ts";
import { rowsPerItem } from "../ops/channel-reduction.ts";
import { ownPlace, rangeOf } from "./place.ts";
import type { Place } from "./place.ts";
import type { Readers } from "./readers.ts";

export interface Placement {
  /** Where tensors lie that do not lie by themselves. */
  readonly places: ReadonlyMap<Tensor, Place>;
  /** What remains of the concatenations and slices. */
  readonly replaced: ReadonlyMap<Node, readonly Node[]>;
}

export interface Abilities {
  /** Whether the node that makes `tensor` can store it among the channels of another. */
  canStore(tensor: Tensor): boolean;
  /** Whether `node` can read `tensor` there. */
  canRead(node: Node, tensor: Tensor): boolean;
}

export function placeConcatenations(
  nodes: readonly Node[],
  readers: Readers,
  abilities: Abilities,
): Placement {
  const places = new Map<Tensor, Place>();
  const placedIn = new Map<Tensor, Tensor[]>();
  // A dispatch cannot read and write one buffer as two bindings.
  const meets = (x: Tensor, home: Tensor): boolean =>
    (placedIn.get(home) ?? []).some((other) => readsOf(x).has(other) || readsOf(other).has(x));
  const replaced = new Map<Node, readonly Node[]>();
  const inFours = (tensor: Tensor): boolean => tensor.shape.length === 4 && tensor.shape[3] % 4 === 0;

  const isConcatInFours = ({ op: { pattern } }: Node): boolean =>
    pattern?.kind === "concat" && pattern.parts.every(inFours);

  // The last concatenation first: what it joins may be concatenations themselves.
  for (const node of [...nodes].reverse()) {
    const { pattern } = node.op;
    if (pattern?.kind !== "concat" || !pattern.parts.every(inFours)) continue;
    const [y] = node.outputs;
    const { home, begin } = places.get(y) ?? ownPlace(y);
    const copied: { x: Tensor; place: Place }[] = [];
    let before = begin;
    for (const x of pattern.parts) {
      const place = { home, begin: before };
      before += x.shape[3];
      const free =
        x.dtype === home.dtype &&
        x.node !== null &&
        !x.node.op.identity &&
        !places.has(x) &&
        !readers.isKept(x) &&
        (isConcatInFours(x.node) || abilities.canStore(x)) &&
        readers.of(x).every((reader) => reader === node || abilities.canRead(reader, x)) &&
        pattern.parts.indexOf(x) === pattern.parts.lastIndexOf(x) &&
        !meets(x, home);
      if (free) {
        places.set(x, place);
        placedIn.set(home, [...(placedIn.get(home) ?? []), x]);
      } else copied.push({ x, place });
    }
    if (copied.length < pattern.parts.length || home !== y) {
      replaced.set(
        node,
        copied.map(({ x, place }) => copyNode(node, x, place)),
      );
    }
  }
  for (const node of nodes) {
    const { pattern } = node.op;
    if (pattern?.kind !== "slice") continue;
    const { x, begin } = pattern;
    const [y] = node.outputs;
    if (!inFours(x) || !inFours(y) || begin % 4 !== 0 || readers.isKept(y)) continue;
    if (!readers.of(y).every((reader) => abilities.canRead(reader, y))) continue;
    const from = places.get(x) ?? ownPlace(x);
    places.set(y, { home: from.home, begin: from.begin + begin });
    replaced.set(node, []);
  }
  return { places, replaced };
}

/** What may be made in passing, so that whoever reads it reads what it is made of. */
const PASSING = new Set<string | undefined>([
  ...["standardize", "affine", "batchNorm", "activation", "sum"],
  ...["standardizeGradient", "affineGradient", "activationGradient", "scaled", "spread"],
]);

/** All that the dispatch which makes `tensor` may read, whatever is fused into it. */
function readsOf(tensor: Tensor): ReadonlySet<Tensor> {
  const reads = new Set<Tensor>();
  const visit = ({ node }: Tensor): void => {
    // No dispatch makes a concatenation that lies in another: what it joins lies there.
    if (!node || node.op.pattern?.kind === "concat") return;
    const kind = node.op.pattern?.kind;
    for (const input of node.inputs) {
      const storage = storageOf(input);
      if (reads.has(storage)) continue;
      reads.add(storage);
      const from = storage.node?.op.pattern?.kind;
      // A sum may be made by a product whose result it adds up, with what the product reads.
      const isAdded = from === "taps" && (kind === "sum" || kind === "activationGradient");
      if (PASSING.has(from) || isAdded) visit(storage);
    }
  };
  visit(tensor);
  return reads;
}

/** Copies `x` to its place instead of `node`. */
export function copyNode(node: Node, x: Tensor, place: Place): Node {
  const { home } = place;
  const [, , , channels] = x.shape;
  const op: Op = {
    name: "concat",
    family: "copy",
    outputs: [],
    writes: [home],
    lower(l) {
      for (const range of l.slices([x, home])) {
        const rows = range.count * rowsPerItem(x);
        const kernel = copyChannels(l.target, rows, channels, allChannels(channels), rangeOf(place));
        l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(home, range) });
      }
    },
  };
  return { ...node, op, inputs: [x], outputs: [] };
}
