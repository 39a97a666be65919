/** @file Where the tensors of a family of batch norms lie. */
import { jointLength } from "../../kernels/norm-gradient.ts";
import { filledUp } from "../../kernels/text/lane.ts";
import { canHold } from "../cut-batch.ts";
import type { BatchLimits } from "../cut-batch.ts";
import type { Node, Tensor } from "../graph.ts";
import type { StandardizePattern } from "../pattern.ts";
import type { Family, FamilyNorm } from "./families.ts";
import { sameShape } from "../shape.ts";
import type { TensorType } from "../shape.ts";
import { ownPlace, planTensor } from "./place.ts";
import type { Place } from "./place.ts";
import type { Readers } from "./readers.ts";

/** How a member of a family comes to where it lies. */
export type Arrival =
  /** The product that makes it stores it there and finds its moments in passing. */
  | "stored with moments"
  /** It is made by something else, and its moments are found by reading it. */
  | "as it is"
  /** So, and it is copied. */
  | "copied";

export interface FamilyLayout extends Family {
  /** Where the members lie, one after the other. */
  readonly place: Place;
  readonly arrivals: readonly Arrival[];
  /** Of all members, `[width]`. */
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** Where several norms add up the gradient by what is standardized, and the planes of what comes of it; see norm-gradient.ts. */
  readonly shared: { readonly total: Tensor; readonly joint: Tensor } | null;
  /** Where the gradient that passes a norm that shares nothing lies; null for where it is made. */
  readonly gradientPlace: Place | null;
  /** Of `norms` those that have a gradient, in the order in which those run. */
  readonly gradientNorms: readonly FamilyNorm[];
}

/** Null where the members cannot be brought together, or the adapter could not hold what their norms share. */
export function layOut(
  family: Family,
  readers: Readers,
  order: ReadonlyMap<Node, number>,
  limits: BatchLimits,
): FamilyLayout | null {
  const { members, width, norms } = family;
  const several = members.length > 1;
  const [{ x }] = members;
  const { graph } = x;
  const hooked = members.map((member, i) => isHooked(member, family.standardizeNodes[i], readers));
  if (several && hooked.slice(1).includes(false)) return null;
  // Vectors of moments that something else finds are not filled up.
  if (width % 4 !== 0 && !hooked[0]) return null;
  // The first one's moments come to the others' with the planes of a norm that reads it alone.
  if (several && !hooked[0] && !norms.some(({ count }) => count === 1)) return null;
  if (!members.every((member) => momentsAreItsOwn(member, readers))) return null;

  const gradientNorms = norms
    .filter(({ gradient }) => gradient)
    .sort((a, b) => order.get(a.gradient!.node)! - order.get(b.gradient!.node)!);
  // The first one begins what the others add to, so it must reach as far as any.
  if (gradientNorms.some(({ count }) => count > gradientNorms[0].count)) return null;

  const vector = (name: string): Tensor =>
    planTensor(graph, name, { shape: [filledUp(width)], dtype: "f32" });
  const ownVectors = several || width % 4 !== 0;
  const images = [...x.shape.slice(0, 3), width];
  const shares = (several || gradientNorms.length > 1) && gradientNorms.length > 0;
  // A sum over many norms, so in full precision, whatever the activations are stored in.
  const total: TensorType = { shape: images, dtype: "f32" };
  if (shares && !canHold(total, limits)) return null;
  return {
    ...family,
    place: several ? ownPlace(planTensor(graph, "joined", { shape: images, dtype: x.dtype })) : ownPlace(x),
    arrivals: hooked.map((own) => (own ? "stored with moments" : several ? "copied" : "as it is")),
    mean: ownVectors ? vector("means") : members[0].mean,
    variance: ownVectors ? vector("variances") : members[0].variance,
    shared: shares
      ? {
          total: planTensor(graph, "gradient_total", total),
          joint: planTensor(graph, "joint", { shape: [jointLength(width)], dtype: "f32" }),
        }
      : null,
    gradientPlace: null,
    gradientNorms,
  };
}

/**
 * `families`, of which those between the products that read the beginnings of one family and what these products lead to
 * lie side by side, so that the gradients of the products' kernels can be one batch: the bottlenecks of a dense block. Not
 * where all of them together would be more than the adapter can hold or bind.
 */
export function laidSideBySide(
  families: readonly FamilyLayout[],
  readers: Readers,
  limits: BatchLimits,
): FamilyLayout[] {
  const familyOf = new Map(families.flatMap((family) => family.members.map(({ x }) => [x, family] as const)));
  const moved = new Map<FamilyLayout, FamilyLayout>();
  for (const family of families.filter(({ members }) => members.length > 1)) {
    const rows = family.norms.flatMap((norm) =>
      readers.of(norm.node.outputs[0]).flatMap((reader) => {
        const pattern = reader.op.pattern;
        if (pattern?.kind !== "weights" || pattern.gradients.length > 1) return [];
        const goals = readers.of(reader.outputs[0]);
        if (!goals.every(({ op }) => op.pattern?.kind === "joinParts")) return [];
        const gradient = pattern.gradients[0].node?.op.pattern;
        const between = gradient?.kind === "standardizeGradient" ? familyOf.get(gradient.of.x) : undefined;
        return between && movable(between) ? [between] : [];
      }),
    );
    const [first] = rows;
    const alike = new Set(
      rows.filter(({ members }) => sameShape(members[0].x.shape, first.members[0].x.shape)),
    );
    if (alike.size < 2) continue;
    const { x } = first.members[0];
    const dz = first.gradientNorms[0].gradient!.pattern.dz;
    const shape = [...x.shape.slice(0, 3), first.width * alike.size];
    if (![x, dz].every(({ dtype }) => canHold({ shape, dtype }, limits))) continue;
    const home = planTensor(x.graph, "side_by_side", { shape, dtype: x.dtype });
    const gradients = planTensor(x.graph, "gradients_side_by_side", { shape, dtype: dz.dtype });
    [...alike].forEach((between, i) => {
      const begin = i * first.width;
      moved.set(between, {
        ...between,
        place: { home, begin },
        gradientPlace: { home: gradients, begin },
      });
    });
  }
  return families.map((family) => moved.get(family) ?? family);
}

/** One tensor that a product stores, with one norm that has a gradient. */
const movable = ({ members, width, arrivals, gradientNorms, shared }: FamilyLayout): boolean =>
  members.length === 1 &&
  width % 4 === 0 &&
  arrivals[0] === "stored with moments" &&
  gradientNorms.length === 1 &&
  !shared;

/** Whether a product makes it that can store it anywhere and find its moments. */
function isHooked({ x }: StandardizePattern, standardizeNode: Node, readers: Readers): boolean {
  const pattern = x.node?.op.pattern;
  return (
    pattern?.kind === "taps" &&
    pattern.moments &&
    x.node?.outputs[0] === x &&
    !readers.isKept(x) &&
    readers.of(x).every((reader) => reader === standardizeNode)
  );
}

/** Whether its moments serve its standardization and moving statistics alone. */
function momentsAreItsOwn({ mean, variance }: StandardizePattern, readers: Readers): boolean {
  const seen = [mean, variance];
  for (const tensor of seen) {
    if (readers.isKept(tensor)) return false;
    for (const { op, outputs } of readers.of(tensor)) {
      if (op.name === "join_vectors") seen.push(...outputs);
      else if (
        op.pattern?.kind !== "standardize" &&
        op.pattern?.kind !== "standardizeGradient" &&
        op.pattern?.kind !== "movingStatistics"
      )
        return false;
    }
  }
  return true;
}

export const memberPlace = ({ place, begins }: FamilyLayout, member: number): Place => ({
  home: place.home,
  begin: place.begin + begins[member],
});
