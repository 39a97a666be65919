/**
 * @file Which batch norms share what they standardize. A family is a row of tensors that are standardized, each by its own
 * moments, and the batch norms that each read the first few of them, joined along the channels: one tensor and one norm in
 * most networks, a whole dense block in a DenseNet.
 */
import type { Node, Tensor } from "../graph.ts";
import { beginOf, storageOf } from "../graph.ts";
import type { AffineGradientPattern, AffinePattern, StandardizePattern } from "../pattern.ts";
import type { Readers } from "./readers.ts";

/** A batch norm of a family. */
export interface FamilyNorm {
  readonly node: Node;
  readonly pattern: AffinePattern;
  /** How many of the family's tensors it reads, from the first on. */
  readonly count: number;
  readonly channels: number;
  /** What makes the gradients by x̂, γ and β; null where there is none. */
  readonly gradient: { readonly node: Node; readonly pattern: AffineGradientPattern } | null;
}

export interface Family {
  /** What is standardized. */
  readonly members: readonly StandardizePattern[];
  readonly standardizeNodes: readonly Node[];
  /** The first channel of each member. */
  readonly begins: readonly number[];
  readonly width: number;
  readonly epsilon: number;
  /** In the order in which they run. */
  readonly norms: readonly FamilyNorm[];
  /** Of each member that has one, what makes the gradient by it. */
  readonly gradients: ReadonlyMap<Tensor, Node>;
}

/** All families that can be rewritten: what they standardize is read by their own norms only. */
export function findFamilies(nodes: readonly Node[], readers: Readers): Family[] {
  const affines = nodes.flatMap((node) => {
    const { pattern } = node.op;
    if (pattern?.kind !== "affine") return [];
    const row = rowOf(pattern.normalized);
    return row ? [{ node, pattern, row }] : [];
  });
  const drafts: { row: readonly Node[]; affines: typeof affines; broken: boolean }[] = [];
  const draftOf = new Map<Node, (typeof drafts)[number]>();
  // The longest rows first, so that every other is the beginning of one that is known.
  for (const affine of [...affines].sort((a, b) => b.row.length - a.row.length)) {
    const { row } = affine;
    const met = [...new Set(row.map((node) => draftOf.get(node)))];
    const [known] = met;
    if (met.length === 1 && !known) {
      const draft = { row, affines: [affine], broken: false };
      drafts.push(draft);
      for (const node of row) draftOf.set(node, draft);
    } else if (met.length === 1 && known && row.every((node, i) => node === known.row[i]))
      known.affines.push(affine);
    else for (const draft of met) if (draft) draft.broken = true;
  }
  return drafts
    .filter(({ broken }) => !broken)
    .map(({ row, affines }) => familyOf(row, affines, readers, nodes))
    .filter((family) => family !== null);
}

/** The standardizations that `normalized` is joined of; null where it is not made of such. */
function rowOf(normalized: Tensor): Node[] | null {
  const { node } = normalized;
  const pattern = node?.op.pattern;
  if (node && pattern?.kind === "standardize") return [node];
  if (pattern?.kind !== "concat") return null;
  const row: Node[] = [];
  for (const part of pattern.parts) {
    const own = rowOf(part);
    if (!own) return null;
    row.push(...own);
  }
  return new Set(row).size === row.length ? row : null;
}

function familyOf(
  row: readonly Node[],
  affines: readonly { node: Node; pattern: AffinePattern; row: readonly Node[] }[],
  readers: Readers,
  nodes: readonly Node[],
): Family | null {
  const members = row.map(({ op }) => op.pattern as StandardizePattern);
  const widths = members.map(({ x }) => x.shape[x.shape.length - 1]);
  const before = (i: number): number => widths.slice(0, i).reduce((sum, width) => sum + width, 0);
  if (members[0].x.shape.length !== 4) return null;
  const inFours = widths.every((width) => width % 4 === 0);
  if (!inFours && (row.length > 1 || affines.length > 1)) return null;
  const [{ epsilon }] = members;
  if (members.some((member) => member.epsilon !== epsilon)) return null;
  if (!affines.every(({ pattern }) => sameBegins(pattern))) return null;

  const ofFamily = new Set(affines.map(({ node }) => node));
  const patterns = new Set(affines.map(({ pattern }) => pattern));
  const joined = new Set(row.map(({ outputs }) => outputs[0]));
  const gradientOf = new Map<AffinePattern, { node: Node; pattern: AffineGradientPattern }>();
  const standardizeGradients = new Map<Tensor, Node>();
  // Whoever reads what is standardized, or a join of it, belongs to the family.
  for (const tensor of joined) {
    if (readers.isKept(tensor)) return null;
    for (const reader of readers.of(tensor)) {
      const { pattern } = reader.op;
      if (pattern?.kind === "concat" && rowOf(reader.outputs[0])) joined.add(reader.outputs[0]);
      else if (pattern?.kind === "affineGradient") {
        // A norm whose result nobody computes has no planes to find its gradient with.
        if (!patterns.has(pattern.of) || gradientOf.has(pattern.of)) return null;
        gradientOf.set(pattern.of, { node: reader, pattern });
      } else if (pattern?.kind === "standardizeGradient") {
        if (standardizeGradients.has(pattern.of.x)) return null;
        standardizeGradients.set(pattern.of.x, reader);
      } else if (!ofFamily.has(reader)) return null;
    }
  }
  const own = new Set(standardizeGradients.values());
  const isOwn = ({ node }: { readonly node: Node }): boolean => leadsTo(own, node.outputs[0], readers);
  const all = [...gradientOf.values()];
  if (!all.every(isOwn)) return null;
  if (!inFours && !(affines.every(isFilledUp) && all.every((each) => fillsUp(each, readers)))) return null;
  const order = new Map(nodes.map((node, i) => [node, i]));
  const norms = affines
    .map(({ node, pattern, row: own }) => ({
      node,
      pattern,
      count: own.length,
      channels: before(own.length),
      gradient: gradientOf.get(pattern) ?? null,
    }))
    .sort((a, b) => order.get(a.node)! - order.get(b.node)!);
  return {
    members,
    standardizeNodes: row,
    begins: members.map((_, i) => before(i)),
    width: before(members.length),
    epsilon,
    norms,
    gradients: standardizeGradients,
  };
}

/** Whether `gradient` is read for `goals` alone, by itself or in parts or sums. */
function leadsTo(goals: ReadonlySet<Node>, gradient: Tensor, readers: Readers): boolean {
  if (readers.isKept(gradient)) return false;
  return readers.of(gradient).every((reader) => {
    const passes = reader.op.name === "add" || reader.op.pattern?.kind === "slice";
    return goals.has(reader) || (passes && leadsTo(goals, reader.outputs[0], readers));
  });
}

/** Whether γ and β are filled up to fours, as they are in a stack. */
const isFilledUp = ({ pattern: { gamma, beta } }: { readonly pattern: AffinePattern }): boolean =>
  [gamma, beta].every((vector) => storageOf(vector).shape[0] % 4 === 0);

/** Whether the gradients of γ and β, where anybody reads them, lie in stacks too. */
function fillsUp({ node }: { readonly node: Node }, readers: Readers): boolean {
  return node.outputs.slice(1).every((gradient) => {
    const all = readers.of(gradient);
    return (
      !readers.isKept(gradient) &&
      all.length <= 1 &&
      all.every(
        ({ op: { pattern } }) =>
          pattern?.kind === "joinParts" && pattern.parts.some(({ values }) => values === gradient),
      )
    );
  });
}

/** Whether γ and β lie at the same places of vectors of the same length, so that planes can be laid out as they are. */
function sameBegins({ gamma, beta }: AffinePattern): boolean {
  const [ofGamma, ofBeta] = [gamma, beta].map(storageOf);
  return (
    beginOf(gamma) === beginOf(beta) && ofGamma.shape[0] === ofBeta.shape[0] && ofGamma.shape.length === 1
  );
}
