/** @file Sums, with what is normalized or activated to be added and what follows, as one kernel. */
import { activatedSum } from "../../kernels/activated-sum.ts";
import type { SumTerm } from "../../kernels/activated-sum.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Op, Operand } from "../op.ts";
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
    if (pattern?.kind === "sum" && pattern.terms.length <= MOST_TERMS && y.shape.length === 4) {
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

/** Whether one node alone reads `tensor`, once. */
const isReadOnce = (tensor: Tensor, inputs: readonly Tensor[], readers: Readers): boolean =>
  !readers.isKept(tensor) &&
  readers.of(tensor).length === 1 &&
  inputs.filter((input) => input === tensor).length === 1;

/** How a sum gets at a term that may never be stored: as products do, or from a number of each channel of each image. */
export type TermReading =
  | Reading
  | { readonly kind: "scaled"; readonly x: Place; readonly factor: Tensor }
  | { readonly kind: "spread"; readonly values: Tensor; readonly scale: number };

/** Stores a sum at `place`, instead of its root. */
export function sumNode({ root, activation }: Sum, readings: readonly TermReading[], place: Place): Node {
  const [own] = root.outputs;
  const terms = readings.map(termOf);
  const images = terms.flatMap((term) => term.images);
  const op: Op = {
    name: "sum",
    family: "elementwise",
    outputs: root.op.outputs,
    writes: [own, place.home],
    lower(l) {
      const pixels = rowsPerItem(own);
      for (const range of l.slices([...images, place.home])) {
        const kernel = activatedSum(l.target, range.count * pixels, own.shape[3], {
          terms: terms.map(({ term }) => term),
          activation,
          z: rangeOf(place),
          pixels,
        });
        const operands = terms.flatMap((term, i) =>
          Object.entries(term.operands(range)).map(([name, operand]) => [`${name}${i}`, operand] as const),
        );
        l.dispatch(kernel, { ...Object.fromEntries(operands), z: batchSlice(place.home, range) });
      }
    },
  };
  return { ...root, op, inputs: terms.flatMap(({ reads }) => reads) };
}

interface Term {
  readonly term: SumTerm;
  /** Of what it reads, what is cut with the batch. */
  readonly images: readonly Tensor[];
  readonly reads: readonly Tensor[];
  operands(range: BatchRange): Record<string, Operand>;
}

function termOf(reading: TermReading): Term {
  switch (reading.kind) {
    case "scaled": {
      const { x, factor } = reading;
      return {
        term: { kind: "scaled", x: rangeOf(x) },
        images: [x.home, factor],
        reads: [x.home, factor],
        operands: (range) => ({ x: batchSlice(x.home, range), factor: batchSlice(factor, range) }),
      };
    }
    case "spread": {
      const { values, scale } = reading;
      return {
        term: { kind: "spread", scale },
        images: [values],
        reads: [values],
        operands: (range) => ({ factor: batchSlice(values, range) }),
      };
    }
    case "normGradient":
      throw new Error("A sum does not read gradients of batch norms in passing.");
    default:
      return {
        term:
          reading.kind === "stored"
            ? { kind: "activated", x: rangeOf(reading.place), planes: null, activation: "linear" }
            : {
                kind: "activated",
                x: rangeOf(reading.x),
                planes: reading.planes,
                activation: reading.activation,
              },
        images: imagesOf(reading),
        reads: tensorsOf(reading),
        operands: (range) => operandsOfReading(reading, "x", range),
      };
  }
}
