/** @file Runs what is computed number by number, over tensors that are broadcast. */
import { elementwise } from "../../kernels/elementwise.ts";
import { f32 } from "../../kernels/kernel.ts";
import type { Uniform } from "../../kernels/kernel.ts";
import type { Chain, Step } from "../../kernels/text/value.ts";
import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Formula, Lowering, Operand } from "../op.ts";
import { sameShape } from "../shape.ts";
import type { Shape } from "../shape.ts";

/** `x` itself. */
export const formulaOfTensor = (x: Tensor): Formula => ({ shape: x.shape, sources: { x0: x }, steps: [] });

/**
 * What an elementwise `node` computes; of its inputs, and of those that it makes itself (`makes`) of theirs. With these, tensors of
 * one number everywhere are numbers.
 */
export function formulaOf(node: Node, makes?: (input: Tensor) => boolean): Formula {
  const names = new Map<Tensor, string>();
  const steps: Step[] = [];
  const visit = ({ op, outputs }: Node): string => {
    const { text, args } = op.elementwise!;
    const named = Object.entries(args).map(([letter, arg]): [string, string | Uniform] => {
      if (!("graph" in arg)) return [letter, arg];
      const known = names.get(arg);
      if (known !== undefined) return [letter, known];
      const constant = makes && storageOf(arg).node?.op.constant;
      if (constant !== undefined) return [letter, f32(constant)];
      const name = makes?.(arg) ? visit(arg.node!) : `x${names.size}`;
      names.set(arg, name);
      return [letter, name];
    });
    return `v${steps.push({ text, args: Object.fromEntries(named), uint: outputs[0].dtype === "u32" }) - 1}`;
  };
  visit(node);
  const sources = [...names]
    .filter(([, name]) => name.startsWith("x"))
    .map(([x, name]) => [name, x] as const);
  return { shape: node.outputs[0].shape, sources: Object.fromEntries(sources), steps };
}

/** Computes `y` `[..]`, cut along the batch where it is too large. */
export function lowerFormula(l: Lowering, label: string, formula: Formula, y: Tensor): void {
  for (const range of l.slices([...alongBatch(formula), y])) {
    const { chain, operands } = partOf(formula, range);
    l.dispatch(elementwise(l.target, label, chain), { ...operands, y: batchSlice(y, range) });
  }
}

/** The tensors that are cut with the batch: those of the formula's own shape. Others are bound whole. */
export const alongBatch = ({ shape, sources }: Formula): Tensor[] =>
  Object.values(sources).filter((x) => sameShape(x.shape, shape));

/** A formula for some items of the batch: for a kernel, and what its bindings are bound to. */
export function partOf(
  formula: Formula,
  range: BatchRange,
): { chain: Chain; operands: Record<string, Operand> } {
  const { shape, sources, steps } = formula;
  const cut = alongBatch(formula);
  const lacksNone = (own: Shape): boolean => own.length === shape.length && own[0] === shape[0];
  const all = Object.entries(sources);
  return {
    chain: {
      ...{ shape, items: range, steps },
      sources: Object.fromEntries(
        all.map(([name, x]) => [
          name,
          { shape: x.shape, uint: x.dtype === "u32", whole: !cut.includes(x) && lacksNone(x.shape) },
        ]),
      ),
    },
    operands: Object.fromEntries(all.map(([name, x]) => [name, cut.includes(x) ? batchSlice(x, range) : x])),
  };
}
