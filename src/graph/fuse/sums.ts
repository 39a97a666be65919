/** @file Sums, with what is normalized or activated to be added and what follows, as one kernel. */
import { activatedSum } from "../../kernels/activated-norm.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { Node, Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import type { Op } from "../op.ts";
import { rowsPerItem } from "../ops/channel-reduction.ts";
import { rangeOf } from "./place.ts";
import type { Place } from "./place.ts";
import type { Readers } from "./readers.ts";
import { imagesOf, operandsOfReading, tensorsOf } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** A term needs two bindings where it is normalized, the result one, and an adapter need not have more than 8. */
const MOST_TERMS = 3;

/** A sum, sums among its terms taken apart, and the activation that alone reads it. */
export interface Sum {
  /** What makes the result. */
  readonly root: Node;
  readonly terms: readonly Tensor[];
  readonly activation: ActivationKind;
  /** Nodes that are not needed any more. */
  readonly absorbed: readonly Node[];
}

/** The sums of a program that can be fused, by their roots. */
export function findSums(nodes: readonly Node[], readers: Readers): Map<Node, Sum> {
  const sums = new Map<Node, Sum>();
  for (const node of nodes) {
    const { pattern } = node.op;
    const [y] = node.outputs;
    if (pattern?.kind === "sum" && pattern.terms.length <= MOST_TERMS && comesInFours(y)) {
      let [terms, absorbed]: [Tensor[], Node[]] = [[...pattern.terms], []];
      for (const term of pattern.terms) {
        const inner = term.node ? sums.get(term.node) : undefined;
        const fits = inner && terms.length - 1 + inner.terms.length <= MOST_TERMS;
        if (!fits || inner.activation !== "linear" || !isReadOnce(term, pattern.terms, readers)) continue;
        terms = terms.flatMap((other) => (other === term ? inner.terms : [other]));
        absorbed = [...absorbed, inner.root, ...inner.absorbed];
        sums.delete(inner.root);
      }
      sums.set(node, { root: node, terms, activation: "linear", absorbed });
    }
    if (pattern?.kind === "activation") {
      const sum = pattern.x.node ? sums.get(pattern.x.node) : undefined;
      if (!sum || sum.activation !== "linear" || !isReadOnce(pattern.x, [pattern.x], readers)) continue;
      sums.delete(sum.root);
      const { activation } = pattern;
      sums.set(node, { ...sum, root: node, activation, absorbed: [...sum.absorbed, sum.root] });
    }
  }
  return sums;
}

const comesInFours = ({ shape }: Tensor): boolean => shape.length === 4 && shape[3] % 4 === 0;

/** Whether one node alone reads `tensor`, once. */
const isReadOnce = (tensor: Tensor, inputs: readonly Tensor[], readers: Readers): boolean =>
  !readers.isKept(tensor) &&
  readers.of(tensor).length === 1 &&
  inputs.filter((input) => input === tensor).length === 1;

/** Stores a sum at `place`, in the stead of its root. */
export function sumNode({ root, activation }: Sum, readings: readonly Reading[], place: Place): Node {
  const [own] = root.outputs;
  const images = readings.flatMap(imagesOf);
  const op: Op = {
    name: "sum",
    family: "elementwise",
    outputs: root.op.outputs,
    writes: [own, place.home],
    lower(l) {
      for (const range of l.slices([...images, place.home])) {
        const kernel = activatedSum(l.target, range.count * rowsPerItem(own), own.shape[3], {
          terms: readings.map(termOf),
          activation,
          z: rangeOf(place),
        });
        const operands = readings.flatMap((reading, i) => {
          const { x, norm } = operandsOfReading(reading, "x", range);
          return [[`x${i}`, x] as const, ...(norm ? [[`norm${i}`, norm] as const] : [])];
        });
        l.dispatch(kernel, { ...Object.fromEntries(operands), z: slice(place.home, range) });
      }
    },
  };
  return { ...root, op, inputs: readings.flatMap(tensorsOf) };
}

function termOf(reading: Reading): Parameters<typeof activatedSum>[3]["terms"][number] {
  switch (reading.kind) {
    case "stored":
      return { x: rangeOf(reading.place), planes: null, activation: "linear" };
    case "activated":
      return { x: rangeOf(reading.x), planes: reading.planes, activation: reading.activation };
    case "normGradient":
      throw new Error("A sum does not read gradients of batch norms in passing.");
  }
}
