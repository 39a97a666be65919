/**
 * @file What is done to programs with convolutions.
 *
 * - **Prologue.** What products alone read, an activation for example, is never stored: they make it while they load. A sum
 *   does so, too, of what is a channel's factor times an image.
 * - **Epilogue.** A product stores its result activated, or passed back through an activation, and where it is added to others,
 *   it adds them.
 * - **Placement.** What is joined along the channels lies in one tensor from the start, and a gradient in its stack.
 *
 * Products are convolutions, transposed and depthwise ones, and their gradients. What batch norms do with them besides is in
 * products-and-norms.ts.
 */
import type { KernelTarget } from "../../kernels/kernel.ts";
import type { Node, Tensor } from "../graph.ts";
import type { WeightsPattern } from "../lowering/conv2d-products.ts";
import type { TapsPattern } from "../lowering/taps.ts";
import { batchSlice } from "../op.ts";
import type { Rewriting } from "../op.ts";
import type {
  ActivationGradientPattern,
  ActivationPattern,
  BatchNormPattern,
  ScaledPattern,
  SpreadPattern,
} from "../pattern.ts";
import { sizeOf } from "../shape.ts";
import { gradientOfInputNode, isAppliedTo, isReadBy, pixelSumsGradientNode } from "./activations.ts";
import { findAdders } from "./adders.ts";
import type { Adder } from "./adders.ts";
import { batchedWeights, batchesOf } from "./batched-weights.ts";
import type { WeightsJob } from "./batched-weights.ts";
import { Changes } from "./changes.ts";
import { fuseJoins } from "./joins.ts";
import type { Joins } from "./joins.ts";
import { Passing } from "./passing.ts";
import type { NormNodes } from "./passing.ts";
import { ownPlace } from "./place.ts";
import type { Place } from "./place.ts";
import { placeConcatenations } from "./placement.ts";
import type { Placement } from "./placement.ts";
import { fusedTaps, fusedWeights } from "./products.ts";
import { readersOf } from "./readers.ts";
import type { Readers } from "./readers.ts";
import { stacks } from "./stacks.ts";
import { storingParts } from "./stored-parts.ts";
import { findSums, sumNode } from "./sums.ts";
import type { Sum, TermReading } from "./sums.ts";

/** Brought by convolutions. */
export const products: Rewriting = {
  includes: [stacks],
  run: (nodes, outputs, target) => new ProductRewrite(nodes, outputs, target).run(),
};

/** What a rewrite knows of a program before anything is rewritten. */
export interface RewriteContext {
  readonly readers: Readers;
  readonly passing: Passing;
  readonly joins: Joins;
  readonly adders: ReadonlyMap<Node, Adder>;
  readonly order: ReadonlyMap<Node, number>;
  /** That a kernel may bind. */
  readonly maxBuffers: number;
}

/** What batch norms add to a rewrite. */
export interface NormRules extends NormNodes {
  /** Rewrites the norms of a batch's statistics, forward and backward; comes first. */
  rewrite(changes: Changes, context: RewriteContext): void;
  /** Rewrites a norm with given statistics. */
  rewriteGiven(node: Node, pattern: BatchNormPattern, changes: Changes, passing: Passing): void;
  /** What becomes of the moving statistics. */
  movingStatistics(): Iterable<readonly [Node, readonly Node[]]>;
}

/** Finds the norms of a program. */
export type FindNorms = (
  nodes: readonly Node[],
  readers: Readers,
  order: ReadonlyMap<Node, number>,
  limits: KernelTarget,
) => NormRules;

/** One rewrite of what a program runs. */
export class ProductRewrite {
  readonly #nodes: readonly Node[];
  readonly #order: ReadonlyMap<Node, number>;
  readonly #readers: Readers;
  readonly #maxBuffers: number;
  readonly #norms: NormRules | null;
  readonly #joins: Joins;
  readonly #sums: ReadonlyMap<Node, Sum>;
  readonly #adders: ReadonlyMap<Node, Adder>;
  readonly #passing: Passing;
  readonly #placement: Placement;
  readonly #changes: Changes;
  readonly #weights: WeightsJob[] = [];

  /** @param findNorms where there may be any */
  constructor(
    nodes: readonly Node[],
    outputs: readonly Tensor[],
    limits: KernelTarget,
    findNorms?: FindNorms,
  ) {
    const maxBuffers = limits.maxStorageBuffers;
    this.#nodes = nodes;
    this.#maxBuffers = maxBuffers;
    const readers = readersOf(nodes, outputs);
    const order = new Map(nodes.map((node, i) => [node, i]));
    [this.#readers, this.#order] = [readers, order];
    this.#norms = findNorms?.(nodes, readers, order, limits) ?? null;
    this.#joins = fuseJoins(nodes, readers);
    this.#sums = findSums(nodes, readers);
    this.#adders = findAdders(this.#sums.values(), readers, { order, maxBuffers });
    this.#passing = new Passing(nodes, readers, this.#norms, this.#sums);
    this.#placement = placeConcatenations(nodes, readers, this.#passing);
    this.#changes = new Changes(this.#placement);
  }

  run(): Node[] {
    const changes = this.#changes;
    const context = {
      ...{ readers: this.#readers, passing: this.#passing, joins: this.#joins, adders: this.#adders },
      ...{ order: this.#order, maxBuffers: this.#maxBuffers },
    };
    this.#norms?.rewrite(changes, context);
    for (const node of this.#nodes) this.#normOrActivation(node);
    for (const [node, replacement] of this.#placement.replaced) changes.replaced.set(node, replacement);
    for (const sum of this.#sums.values()) this.#sum(sum);
    for (const node of this.#nodes) {
      const { pattern } = node.op;
      if (pattern?.kind === "taps") this.#taps(node, pattern);
      else if (pattern?.kind === "weights") this.#weightsGradient(node, pattern);
    }
    this.#batchWeights();
    for (const node of this.#nodes) this.#storeParts(node);
    for (const [node, replacement] of this.#joins.replacements()) changes.replaced.set(node, replacement);
    for (const [node, replacement] of this.#norms?.movingStatistics() ?? [])
      changes.replaced.set(node, replacement);
    return this.#nodes.flatMap((node) => changes.replaced.get(node) ?? [node]);
  }

  #normOrActivation(node: Node): void {
    const { pattern } = node.op;
    if (pattern?.kind === "batchNorm") this.#norms?.rewriteGiven(node, pattern, this.#changes, this.#passing);
    else if (pattern?.kind === "activation" && this.#passing.isActivated(node, pattern)) {
      const { activation } = pattern;
      const x = this.#changes.placeOf(pattern.x);
      this.#changes.readings.set(node.outputs[0], { kind: "activated", x, planes: null, activation });
      this.#changes.drop(node);
    } else if (pattern?.kind === "activation") this.#appliedActivation(node, pattern);
    else if (pattern?.kind === "activationGradient") this.#activationGradient(node, pattern);
    else if (pattern?.kind === "scaled" || pattern?.kind === "spread") this.#term(node, pattern);
  }

  /** What sums alone read, they scale or spread themselves. */
  #term(node: Node, pattern: ScaledPattern | SpreadPattern): void {
    const [y] = node.outputs;
    if (!this.#passing.isAdded(y)) return;
    const changes = this.#changes;
    changes.terms.set(y, pattern.kind === "scaled" ? { ...pattern, x: changes.placeOf(pattern.x) } : pattern);
    changes.drop(node);
  }

  /** The product that makes what an activation alone reads stores its result activated. */
  #appliedActivation(node: Node, pattern: ActivationPattern): void {
    const { outcomes } = this.#changes;
    const product = pattern.x.node;
    if (!isAppliedTo(node, pattern, this.#readers) || outcomes.has(product!)) return;
    const { activation } = pattern;
    const place = this.#changes.placeOf(node.outputs[0]);
    outcomes.set(product!, { kind: "placed", place, activation, addends: [] });
    this.#changes.drop(node);
  }

  /** Passed back by the product that makes dy, or taken from x where y is not stored. */
  #activationGradient(node: Node, pattern: ActivationGradientPattern): void {
    const { of, dy } = pattern;
    const [dx] = node.outputs;
    const changes = this.#changes;
    const y = node.inputs.find((input) => input !== dy && input !== of.x);
    const isStored = y !== undefined && !changes.readings.has(y);
    const sums = dy.node?.op.pattern;
    if (this.#passing.passesBack(node) && !changes.outcomes.has(dy.node!)) {
      const [place, before] = [dx, isStored ? y : of.x].map((tensor) => changes.placeOf(tensor));
      const { activation } = of;
      changes.outcomes.set(dy.node!, { kind: "activationGradient", place, addends: [], before, activation });
      changes.drop(node);
    } else if (sums?.kind === "pixelSums" && isReadBy(node, dy, this.#readers)) {
      changes.drop(dy.node!);
      changes.replaced.set(node, [pixelSumsGradientNode(node, of, sums, isStored ? y : of.x)]);
    } else if (y && !isStored) changes.replaced.set(node, [gradientOfInputNode(node, pattern)]);
  }

  /** A sum, where there is more to do than to add what is stored. */
  #sum(sum: Sum): void {
    const { root, terms, absorbed } = sum;
    const [z] = root.outputs;
    const changes = this.#changes;
    const place = changes.placeOf(z);
    const adder = this.#adders.get(root);
    if (adder && this.#addsInPassing(adder, place)) {
      changes.drop(...absorbed);
      changes.movedTo.set(adder.product, root);
      return;
    }
    const readings = terms.map(
      (term): TermReading =>
        changes.terms.get(term) ?? changes.readingOf([term]) ?? { kind: "stored", place: ownPlace(term) },
    );
    const isPlain = readings.every(
      (reading, i) => reading.kind === "stored" && reading.place.home === terms[i],
    );
    if (isPlain && absorbed.length === 0 && place.home === z) return;
    changes.drop(...absorbed);
    changes.replaced.set(root, [sumNode(sum, readings, place)]);
  }

  /** Whether a product stores at `place` what it makes and others added to it. */
  #addsInPassing({ product, activationGradient, others }: Adder, place: Place): boolean {
    const { outcomes } = this.#changes;
    const known = outcomes.get(product);
    const addends = others.map((other) => this.#changes.placeOf(other));
    if (activationGradient) {
      if (known?.kind !== "activationGradient") return false;
      outcomes.set(product, { ...known, place, addends });
      return true;
    }
    if (!known) outcomes.set(product, { kind: "placed", place, addends });
    return !known || known.kind === "normGradient";
  }

  #taps(node: Node, pattern: TapsPattern): void {
    const changes = this.#changes;
    const [y] = node.outputs;
    const reading = changes.readingOf(pattern.sources);
    const stored = changes.isPlaced(y)
      ? ({ kind: "placed", place: changes.placeOf(y), addends: [] } as const)
      : ({ kind: "as it is" } as const);
    const outcome = changes.outcomes.get(node) ?? stored;
    if (!reading && outcome.kind === "as it is") return;
    changes.drop(node);
    changes.replaced.set(changes.movedTo.get(node) ?? node, [fusedTaps(node, pattern, reading, outcome)]);
  }

  #weightsGradient(node: Node, pattern: WeightsPattern): void {
    const { x, gradients, geometry } = pattern;
    const left = this.#changes.readingOf([x]) ?? { kind: "stored" as const, place: ownPlace(x) };
    const right = this.#changes.readingOf(gradients);
    const [dw] = node.outputs;
    const join = this.#joins.take(dw, "exact");
    if (left.kind === "stored" && left.place.home === x && !right && !join) return;
    if (join && right && geometry)
      this.#weights.push({ node, geometry, left, right, half: x.dtype === "f16", to: join });
    const to = join
      ? {
          tensor: join.tensor,
          operand: batchSlice(join.tensor, { first: join.begin, count: sizeOf(dw.shape) }),
        }
      : { tensor: dw, operand: dw };
    this.#changes.replaced.set(node, [fusedWeights(node, pattern, left, right, to)]);
  }

  #storeParts(node: Node): void {
    const storing = this.#changes.replaced.has(node) ? null : storingParts(node, this.#joins);
    if (storing) this.#changes.replaced.set(node, [storing]);
  }

  /** Runs products by weights together, where the last of them would run. */
  #batchWeights(): void {
    const order = this.#order;
    for (const batch of batchesOf(this.#weights)) {
      const nodes = batch.jobs.map(({ node }) => node).sort((a, b) => order.get(a)! - order.get(b)!);
      this.#changes.drop(...nodes);
      this.#changes.replaced.set(nodes[nodes.length - 1], [batchedWeights(batch)]);
    }
  }
}
