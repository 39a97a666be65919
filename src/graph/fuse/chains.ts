/**
 * @file What is computed number by number runs as one: an elementwise op makes its inputs itself where nobody needs them stored, and
 * so does a reduction. Comes last, for what the other rewrites have left.
 */
import type { KernelTarget } from "../../kernels/kernel.ts";
import { canCut } from "../cut-batch.ts";
import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { alongBatch, formulaOf, lowerFormula } from "../lowering/formula.ts";
import type { Formula, Op } from "../op.ts";
import { bytesOf, sameShape } from "../shape.ts";
import { readersOf } from "./readers.ts";

/** Functions of one kernel. */
const MOST_STEPS = 48;
/** Functions that several readers compute again, each for itself, rather than read what one has stored. */
const MOST_REPEATED = 16;
/** The same where what is read is broadcast: it is computed again at every place. */
const MOST_BROADCAST = 3;

/** `nodes`, those of `own`, which no other rewrite has touched, joined where they can be. */
export function fuseChains(
  nodes: readonly Node[],
  own: ReadonlySet<Node>,
  outputs: readonly Tensor[],
  limits: KernelTarget,
): Node[] {
  const readers = readersOf(nodes, outputs);
  /** Of each elementwise node, and each reduction that makes what it reduces. */
  const formulas = new Map<Node, Formula>();
  /** Nodes whose results are not stored, for all that is known so far. */
  const passing = new Set<Node>();
  const isMade = ({ node }: Tensor): boolean => node !== null && passing.has(node);

  const mayPass = ({ outputs: [y] }: Node, { steps }: Formula): boolean => {
    const all = readers.of(y);
    const canMake = ({ op, inputs }: Node): boolean =>
      (op.elementwise ?? op.overFormula) !== undefined &&
      inputs.every((input) => input === y || storageOf(input) !== y);
    const sees = ({ op, outputs: [z] }: Node): boolean => !op.elementwise || sameShape(z.shape, y.shape);
    const most = !all.every(sees) ? MOST_BROADCAST : all.length > 1 ? MOST_REPEATED : MOST_STEPS;
    return !readers.isKept(y) && steps.length <= most && all.every((node) => own.has(node) && canMake(node));
  };

  const fits = (formula: Formula, y: Tensor): boolean => {
    const sources = Object.values(formula.sources);
    const cut = alongBatch(formula);
    return (
      sources.length < limits.maxStorageBuffers &&
      formula.steps.length <= MOST_STEPS &&
      canCut(sameShape(formula.shape, y.shape) ? [...cut, y] : cut, limits) &&
      sources.every((x) => cut.includes(x) || bytesOf(x) <= limits.maxBindingBytes)
    );
  };

  for (const node of nodes) {
    const { op, inputs, outputs } = node;
    if (!own.has(node) || !(op.elementwise ?? op.overFormula)) continue;
    const formula = (): Formula | null =>
      op.elementwise
        ? formulaOf(node, isMade)
        : isMade(inputs[0])
          ? formulaOf(inputs[0].node!, isMade)
          : null;
    let found = formula();
    // As many of the inputs are stored as it takes; those that are made of most tensors first.
    for (let made = inputs.filter(isMade); found && made.length > 0 && !fits(found, outputs[0]);) {
      const size = (x: Tensor): number => Object.keys(formulas.get(x.node!)!.sources).length;
      passing.delete(made.reduce((most, x) => (size(x) > size(most) ? x : most)).node!);
      found = formula();
      made = inputs.filter(isMade);
    }
    if (!found) continue;
    formulas.set(node, found);
    if (op.elementwise && mayPass(node, found)) passing.add(node);
  }
  return nodes.flatMap((node) => {
    const formula = formulas.get(node);
    if (passing.has(node)) return [];
    const sources = formula && Object.values(formula.sources);
    return formula && !node.inputs.every((x) => sources!.includes(x)) ? [joined(node, formula)] : [node];
  });
}

/** `node`, of what its formula is made of. */
function joined(node: Node, formula: Formula): Node {
  const { op, outputs } = node;
  const label = `${op.name}_of_${formula.steps.length}`;
  const lower: Op["lower"] = (l, [y]) =>
    op.overFormula ? op.overFormula(l, formula, [y]) : lowerFormula(l, label, formula, y);
  return { ...node, op: { ...op, writes: outputs, lower }, inputs: Object.values(formula.sources) };
}
