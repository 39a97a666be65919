/** @file Activations that stand by themselves: who can do their work in passing. */
import {
  activationGradientOfOutputText,
  activationGradientText,
  gradientFollowsFromOutput,
} from "../../kernels/text/activation.ts";
import type { Node, Tensor } from "../graph.ts";
import { lowerFormula } from "../lowering/formula.ts";
import { lowerImageSums } from "../lowering/image-sums.ts";
import type { Op } from "../op.ts";
import type { ActivationGradientPattern, ActivationPattern, PixelSumsPattern } from "../pattern.ts";
import type { Readers } from "./readers.ts";

/** Whether `node`, a product that gathers, is alone in making what `reader` reads, and nobody else reads it. */
export function passesBackTo(reader: Node, made: Tensor, readers: Readers): boolean {
  const product = made.node?.op.pattern;
  return (
    product?.kind === "taps" &&
    product.taps.channels.length === 1 &&
    made.node!.outputs[0] === made &&
    made.shape[3] % 4 === 0 &&
    isReadBy(reader, made, readers)
  );
}

/** Whether `node` alone reads `tensor`. */
export const isReadBy = (node: Node, tensor: Tensor, readers: Readers): boolean =>
  !readers.isKept(tensor) && readers.of(tensor).every((reader) => reader === node);

/**
 * Whether the gradient can be taken from the input by whoever takes it from the output: a bend at 0 or at 6 is one of both.
 * A sigmoid's output is not its input.
 */
export const bendsAlike = ({ activation }: ActivationPattern): boolean =>
  !gradientFollowsFromOutput(activation) ||
  activationGradientOfOutputText(activation, "a", "d", "T") ===
    activationGradientText(activation, "a", "d", "T");

/** The gradient of an activation from its input, instead of `node`, where its output is not stored. */
export function gradientOfInputNode(node: Node, { of, dy }: ActivationGradientPattern): Node {
  const { x, activation } = of;
  const step = {
    text: activationGradientText(activation, "a", "d", "T"),
    args: { a: "x0", d: "x1" },
    uint: false,
  };
  const formula = { shape: x.shape, sources: { x0: x, x1: dy }, steps: [step] };
  const op: Op = {
    ...node.op,
    writes: node.outputs,
    lower: (l, [dx]) => lowerFormula(l, node.op.name, formula, dx),
  };
  return { ...node, op, inputs: [x, dy] };
}

/** Sums over pixels passed back through an activation, instead of `node`; `kept` is the activation's input or output. */
export function pixelSumsGradientNode(
  node: Node,
  { activation, x: before }: ActivationPattern,
  { x, factor }: PixelSumsPattern,
  kept: Tensor,
): Node {
  const through = { activation, kept: kept === before ? "input" : "output" } as const;
  const op: Op = {
    ...node.op,
    writes: node.outputs,
    lower: (l, [y]) => lowerImageSums(l, { x, factor, y }, 1, { through, kept }),
  };
  return { ...node, op, inputs: [x, factor, kept] };
}

/** Whether `node`, an activation, is alone in reading what a product makes, which can make it instead. */
export function isAppliedTo(node: Node, { x }: ActivationPattern, readers: Readers): boolean {
  const { pattern } = x.node?.op ?? {};
  return (
    pattern?.kind === "taps" &&
    pattern.taps.channels.length === 1 &&
    x.node!.outputs[0] === x &&
    !x.node!.outputs.slice(1).some((moments) => readers.isRead(moments)) &&
    isReadBy(node, x, readers)
  );
}
