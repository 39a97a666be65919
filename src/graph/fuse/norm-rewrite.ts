import { normGradientEpilogue } from "../../kernels/conv2d/epilogue.ts";
import type { NormPlace } from "../../kernels/fold-norm.ts";
import type { Node, Tensor } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import { NORM_GRADIENT_BUFFERS } from "./adders.ts";
import type { Changes } from "./changes.ts";
import type { FamilyNorm } from "./families.ts";
import { memberPlace } from "./layout.ts";
import type { FamilyLayout } from "./layout.ts";
import { lowerNormGradient } from "./norm-gradient.ts";
import type { NormGradientTarget, VectorTarget } from "./norm-gradient.ts";
import { activatedNode, foldNode, memberGradientNode, passedBackNode, zeroNode } from "./norm-nodes.ts";
import { lowerMomentsOfNorms } from "./norm-moments.ts";
import type { FoldedNorm } from "./norm-moments.ts";
import type { NormTables } from "./norm-tables.ts";
import { ownPlace, rangeOf } from "./place.ts";
import type { Place } from "./place.ts";
import { copyNode } from "./placement.ts";
import type { RewriteContext } from "./product-rewrite.ts";

interface NormContext extends RewriteContext {
  readonly tables: NormTables;
}

/** A product that makes a norm's dz, alone or by adding its result to `others`, in the place of `at`. */
interface GradientProduct {
  readonly node: Node;
  readonly others: readonly Tensor[];
  readonly at: Node;
}

/** Rewrites a family of batch norms, forward and backward. */
export class NormRewrite {
  readonly #family: FamilyLayout;
  readonly #changes: Changes;
  readonly #context: NormContext;
  /** Where the gradient by what a norm standardizes lies. */
  readonly #gradientPlaces = new Map<FamilyNorm, Place>();

  constructor(family: FamilyLayout, changes: Changes, context: NormContext) {
    this.#family = family;
    this.#changes = changes;
    this.#context = context;
  }

  run(): void {
    const { norms, gradients } = this.#family;
    this.#arrive();
    for (const norm of norms) this.#forward(norm);
    this.#gradientsInOrder().forEach(({ norm, product }, i) => this.#backward(norm, product, i === 0));
    for (const [member, node] of gradients) this.#memberGradient(member, node);
  }

  #folded({ channels, pattern }: FamilyNorm): FoldedNorm {
    const { tables } = this.#context;
    const { size, begin } = tables.planesOf(pattern);
    const place: NormPlace = {
      channels,
      statisticsBegin: 0,
      parametersBegin: begin,
      normBegin: begin,
      normSize: size,
      epsilon: this.#family.epsilon,
    };
    return { table: tables.of(pattern), place };
  }

  /** Brings the members to their place, with their moments and the planes of the norms whose last member they are. */
  #arrive(): void {
    const { members, arrivals, standardizeNodes, mean, variance, begins } = this.#family;
    members.forEach(({ x, ...moments }, i) => {
      const norms = this.#family.norms
        .filter(({ count }) => count === i + 1)
        .map((norm) => this.#folded(norm));
      const place = memberPlace(this.#family, i);
      if (arrivals[i] === "stored with moments") {
        this.#changes.drop(standardizeNodes[i]);
        const begin = begins[i];
        const target = { mean, variance, begin, norms };
        this.#changes.outcomes.set(x.node!, {
          kind: "moments",
          place,
          merge: (l, ...found) => lowerMomentsOfNorms(l, target, ...found),
          writes: [mean, variance, ...norms.map(({ table }) => table.planes)],
          reads: norms.flatMap(({ table }) => [table.gamma, table.beta]),
        });
        return;
      }
      const copied = arrivals[i] === "copied";
      const nodes: Node[] = copied ? [copyNode(standardizeNodes[i], x, place)] : [];
      norms.forEach((norm, n) => {
        const keep = copied && n === 0;
        nodes.push(foldNode(norm, moments, keep ? { mean, variance } : null));
      });
      this.#changes.replaced.set(standardizeNodes[i], nodes);
    });
  }

  #forward({ node, pattern }: FamilyNorm): void {
    const [z] = node.outputs;
    const planes = this.#context.tables.planesOf(pattern);
    const { activation } = pattern;
    const x = this.#family.place;
    if (this.#context.passing.isNormed(z)) {
      this.#changes.readings.set(z, { kind: "activated", x, planes, activation });
      this.#changes.drop(node);
    } else {
      const place = this.#changes.placeOf(z);
      this.#changes.replaced.set(node, [activatedNode(node, x, place, planes, activation)]);
    }
  }

  /** The norms that have a gradient, and the products that find it in passing, in the order in which they run. */
  #gradientsInOrder(): { readonly norm: FamilyNorm; readonly product: GradientProduct | null }[] {
    const { gradientNorms } = this.#family;
    const { order } = this.#context;
    const taken = new Set<Node>();
    const all = gradientNorms.map((norm) => {
      const product = this.#productOf(norm, taken);
      if (product) taken.add(product.node);
      return { norm, product, position: order.get(product?.at ?? norm.gradient!.node)! };
    });
    const sorted = all.sort((a, b) => a.position - b.position);
    // The first one begins what the others add to, so it must reach as far as any; as they stand in the graph it does.
    const reaches = sorted.every(({ norm }) => norm.count <= sorted[0].norm.count);
    return reaches ? sorted : gradientNorms.map((norm) => ({ norm, product: null }));
  }

  /** Of a linear norm da is dz, which stays where it is, for others to read. */
  #stays({ gradient }: FamilyNorm): boolean {
    const { shared, gradientPlace } = this.#family;
    return gradient!.pattern.of.activation === "linear" && !shared && !gradientPlace;
  }

  #productOf(norm: FamilyNorm, taken: ReadonlySet<Node>): GradientProduct | null {
    const { node: reader, pattern } = norm.gradient!;
    const { dz } = pattern;
    const { readers, adders, maxBuffers } = this.#context;
    const adder = dz.node ? adders.get(dz.node) : undefined;
    if (adder && (adder.activationGradient || adder.buffers + NORM_GRADIENT_BUFFERS > maxBuffers))
      return null;
    const made = adder ? adder.product.outputs[0] : dz;
    const product = made.node;
    const by = product?.op.pattern;
    const can =
      by?.kind === "taps" &&
      by.taps.channels.length === 1 &&
      // Of phases of unequal size some tiles have no row, and leave no sums.
      by.taps.evenPhases &&
      product!.outputs[0] === made &&
      made.shape[3] % 4 === 0 &&
      !taken.has(product!) &&
      !this.#changes.outcomes.has(product!) &&
      (this.#stays(norm) || (!readers.isKept(dz) && readers.of(dz).every((each) => each === reader)));
    return can ? { node: product!, others: adder?.others ?? [], at: dz.node! } : null;
  }

  #backward(norm: FamilyNorm, product: GradientProduct | null, first: boolean): void {
    const { node, pattern } = norm.gradient!;
    const { dz } = pattern;
    const { activation } = pattern.of;
    const { shared, gradientPlace, place: x } = this.#family;
    const planes = this.#context.tables.planesOf(pattern.of);
    const target = this.#target(norm, first);
    const stored = !shared ? "plain" : first ? "scaled" : "accumulated";
    const from = this.#changes.placeOf(dz);
    const own = product ? dz : node.outputs[0];
    const alone = gradientPlace ?? (this.#stays(norm) ? from : ownPlace(own));
    const place = shared ? ownPlace(shared.total) : alone;
    this.#gradientPlaces.set(norm, place);
    if (product) {
      const addends = product.others.map((other) => this.#changes.placeOf(other));
      this.#changes.outcomes.set(product.node, {
        kind: "normGradient",
        ...{ place, addends, x, planes },
        epilogue: (how) => normGradientEpilogue({ ...how, before: rangeOf(x), activation, planes, stored }),
        merge: (l, ...found) => lowerNormGradient(l, target, ...found),
        ...{ writes: target.writes, reads: target.reads },
      });
      this.#changes.drop(node);
    } else {
      const passed = { x, planes, activation, from, to: place, stored, target } as const;
      this.#changes.replaced.set(node, [passedBackNode(node, dz, passed)]);
    }
  }

  #target(norm: FamilyNorm, first: boolean): NormGradientTarget {
    const { pattern, node } = norm.gradient!;
    const [, dgamma, dbeta] = node.outputs;
    const { tables } = this.#context;
    const planes = tables.planesOf(pattern.of);
    const targets = [dgamma, dbeta].map((gradient) => this.#vectorTarget(gradient));
    const { shared, width, members } = this.#family;
    const coefficients = shared ? shared.joint : tables.of(pattern.of).coefficients;
    return {
      channels: norm.channels,
      rows: sizeOf(members[0].x.shape.slice(0, 3)),
      planes,
      dgamma: targets[0],
      dbeta: targets[1],
      coefficients,
      shared: shared ? { size: width, first } : null,
      writes: [coefficients, ...targets.flatMap((target) => (target ? [target.tensor] : []))],
      reads: [planes.tensor, ...(shared && !first ? [shared.total, shared.joint] : [])],
    };
  }

  #vectorTarget(gradient: Tensor): VectorTarget | null {
    const { readers, joins } = this.#context;
    if (!readers.isRead(gradient)) return null;
    const join = joins.take(gradient, "filled");
    if (join) return { tensor: join.tensor, begin: join.begin, stacked: true };
    return { tensor: gradient, begin: 0, stacked: false };
  }

  /** The gradient by a member. */
  #memberGradient(member: Tensor, node: Node): void {
    const { members, shared, gradientNorms, width, begins } = this.#family;
    const { readers, passing, tables } = this.#context;
    const index = members.findIndex(({ x }) => x === member);
    const [norm] = gradientNorms;
    const [dx] = node.outputs;
    const x = memberPlace(this.#family, index);
    const gradient: Place = shared
      ? { home: shared.total, begin: begins[index] }
      : this.#gradientPlaces.get(norm)!;
    const coefficients = shared
      ? { tensor: shared.joint, size: width, begin: begins[index] }
      : tables.coefficientsOf(norm.pattern);
    const sums = readers.of(dx).filter(({ op }) => op.pattern?.kind === "channelSum");
    for (const sum of sums) this.#zero(sum);
    if (passing.isNormGradient(dx, sums)) {
      this.#changes.readings.set(dx, { kind: "normGradient", gradient, x, coefficients });
      this.#changes.drop(node);
    } else this.#changes.replaced.set(node, [memberGradientNode(node, gradient, x, coefficients)]);
  }

  /** The gradient by what is added to all pixels before their mean is taken away, a bias, is zero. */
  #zero(node: Node): void {
    const [sum] = node.outputs;
    this.#changes.replaced.set(node, this.#context.joins.take(sum, "zero") ? [] : [zeroNode(node)]);
  }
}
