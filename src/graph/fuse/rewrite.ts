import type { NormPlace } from "../../kernels/fold-norm.ts";
import type { Node, Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import type { ActivationPattern } from "../pattern.ts";
import { sizeOf } from "../shape.ts";
import { findAdders, NORM_GRADIENT_BUFFERS } from "./adders.ts";
import type { Adder } from "./adders.ts";
import { bendsAlike, gradientOfInputNode, passesBackTo } from "./activations.ts";
import { batchedWeights, batchesOf } from "./batched-weights.ts";
import type { WeightsJob } from "./batched-weights.ts";
import { findFamilies } from "./families.ts";
import type { FamilyNorm } from "./families.ts";
import { hasPlanes, StatisticsFolder } from "./given-statistics.ts";
import { fuseJoins } from "./joins.ts";
import type { Joins } from "./joins.ts";
import { laidSideBySide, layOut, memberPlace } from "./layout.ts";
import type { FamilyLayout } from "./layout.ts";
import { fuseMovingStatistics } from "./moving-statistics.ts";
import type { NormGradientTarget, VectorTarget } from "./norm-gradient.ts";
import { activatedNode, foldNode, memberGradientNode, passedBackNode, zeroNode } from "./norm-nodes.ts";
import { NormTables } from "./norm-tables.ts";
import { ownPlace } from "./place.ts";
import type { Place } from "./place.ts";
import { copyNode, placeConcatenations } from "./placement.ts";
import type { Placement } from "./placement.ts";
import { fusedTaps, fusedWeights } from "./products.ts";
import type { FoldedNorm, Outcome } from "./products.ts";
import { findSums, sumNode } from "./sums.ts";
import type { Sum } from "./sums.ts";
import { readersOf } from "./readers.ts";
import type { Readers } from "./readers.ts";
import type { Reading } from "./reading.ts";

/** What becomes of one node: others in its place. */
type Replacement = readonly Node[];

/** One rewrite of what a program runs; see fuse.ts. */
export class Rewrite {
  readonly #nodes: readonly Node[];
  readonly #readers: Readers;
  /** That a kernel may bind. */
  readonly #maxBuffers: number;
  readonly #tables = new NormTables();
  readonly #families: FamilyLayout[];
  readonly #joins: Joins;
  readonly #sums: ReadonlyMap<Node, Sum>;
  /** The sums of their roots, and of what they absorb. */
  readonly #inSums: ReadonlyMap<Node, Sum>;
  readonly #adders: ReadonlyMap<Node, Adder>;
  readonly #placement: Placement;
  readonly #folder = new StatisticsFolder();
  /** The norms of all families, and the nodes of their gradients. */
  readonly #normOf: ReadonlySet<Node>;
  readonly #gradientNodes: ReadonlySet<Node>;
  /** How products read what is not stored as itself. */
  readonly #readings = new Map<Tensor, Reading>();
  readonly #outcomes = new Map<Node, Outcome>();
  readonly #weights: WeightsJob[] = [];
  readonly #replaced = new Map<Node, Replacement>();
  /** Of products that run later than they did, where. */
  readonly #movedTo = new Map<Node, Node>();

  constructor(nodes: readonly Node[], outputs: readonly Tensor[], maxBuffers: number) {
    this.#maxBuffers = maxBuffers;
    this.#nodes = nodes;
    this.#readers = readersOf(nodes, outputs);
    const order = new Map(nodes.map((node, i) => [node, i]));
    const families = findFamilies(nodes, this.#readers).flatMap(
      (family) => layOut(family, this.#readers, order) ?? [],
    );
    this.#families = laidSideBySide(families, this.#readers);
    const norms = this.#families.flatMap((family) => family.norms);
    this.#normOf = new Set(norms.map(({ node }) => node));
    this.#gradientNodes = new Set(norms.flatMap(({ gradient }) => gradient?.node ?? []));
    this.#joins = fuseJoins(nodes, this.#readers);
    this.#sums = findSums(nodes, this.#readers);
    this.#inSums = new Map(
      [...this.#sums.values()].flatMap((sum) => [sum.root, ...sum.absorbed].map((node) => [node, sum])),
    );
    this.#adders = findAdders(this.#sums.values(), this.#readers, { order, maxBuffers });
    this.#placement = placeConcatenations(nodes, this.#readers, {
      canStore: (tensor) => this.#canStore(tensor),
      canRead: (node, tensor) => this.#canRead(node, tensor),
    });
  }

  #canStore(tensor: Tensor): boolean {
    const { node } = tensor;
    const pattern = node?.op.pattern;
    if (pattern?.kind === "taps") return pattern.taps.channels.length === 1 && node!.outputs[0] === tensor;
    if (pattern?.kind === "batchNorm") return hasPlanes(pattern);
    if (node && this.#sums.has(node)) return true;
    return pattern?.kind === "affine" && this.#normOf.has(node!);
  }

  #canRead(node: Node, tensor: Tensor): boolean {
    const { pattern } = node.op;
    switch (pattern?.kind) {
      case "taps":
      case "weights":
        return this.#isImages(node, tensor);
      case "batchNorm":
        return hasPlanes(pattern) && pattern.norm.x === tensor;
      case "affineGradient":
        return pattern.dz === tensor && this.#gradientNodes.has(node);
      case "sum":
        return this.#addsUp(node, tensor);
      case "activation":
        return (
          pattern.x === tensor &&
          this.#isActivatedInPassing(node, pattern) &&
          this.#gradientsOf(pattern).every((gradient) => this.#passesBack(gradient))
        );
      case "activationGradient":
        return pattern.dy !== tensor && this.#passesBack(node);
      default:
        return false;
    }
  }

  /** Whether `tensor` is what a product reads, alone or as one of its two operands. */
  #isImages({ op: { pattern } }: Node, tensor: Tensor): boolean {
    if (pattern?.kind === "taps") return pattern.sources.length === 1 && pattern.sources[0] === tensor;
    if (pattern?.kind !== "weights") return false;
    const { x, gradients } = pattern;
    const [gradient] = gradients;
    return x !== gradient && (x === tensor || (gradients.length === 1 && gradient === tensor));
  }

  /** Whether a sum adds up `tensor`, and nobody reads it otherwise on the sum's behalf. */
  #addsUp(node: Node, tensor: Tensor): boolean {
    return this.#inSums.get(node)?.terms.includes(tensor) ?? false;
  }

  /** Whether `reader` can make `tensor` while it loads. */
  #canMake(reader: Node, tensor: Tensor): boolean {
    return this.#isImages(reader, tensor) || this.#addsUp(reader, tensor);
  }

  /** Whether all who read the result of an activation make it while they load, its gradient aside. */
  #isActivatedInPassing(node: Node, pattern: ActivationPattern): boolean {
    const [y] = node.outputs;
    if (this.#inSums.has(node) || !bendsAlike(pattern) || y.shape.length !== 4 || y.shape[3] % 4 !== 0)
      return false;
    return this.#isMadeInPassing(y, this.#gradientsOf(pattern));
  }

  #gradientsOf(pattern: ActivationPattern): Node[] {
    return this.#nodes.filter(
      ({ op }) => op.pattern?.kind === "activationGradient" && op.pattern.of === pattern,
    );
  }

  /** Whether the product that makes what the gradient of an activation reads can pass it back itself. */
  #passesBack(node: Node): boolean {
    const { pattern } = node.op;
    return (
      pattern?.kind === "activationGradient" &&
      bendsAlike(pattern.of) &&
      passesBackTo(node, pattern.dy, this.#readers)
    );
  }

  #placeOf(tensor: Tensor): Place {
    return this.#placement.places.get(tensor) ?? ownPlace(tensor);
  }

  run(): Node[] {
    for (const family of this.#families) {
      this.#arrive(family);
      for (const norm of family.norms) this.#forward(family, norm);
      for (const norm of family.gradientNorms) this.#backward(family, norm);
      for (const [member, node] of family.gradients) this.#memberGradient(family, member, node);
    }
    for (const node of this.#nodes) this.#given(node);
    for (const node of this.#nodes) this.#activation(node);
    for (const [node, replacement] of this.#placement.replaced) this.#replaced.set(node, replacement);
    for (const sum of this.#sums.values()) this.#sum(sum);
    for (const node of this.#nodes) this.#product(node);
    this.#batchWeights();
    for (const [node, replacement] of this.#joins.replacements()) this.#replaced.set(node, replacement);
    for (const [node, replacement] of fuseMovingStatistics(this.#nodes, this.#families, this.#tables))
      this.#replaced.set(node, replacement);
    return this.#nodes.flatMap((node) => this.#replaced.get(node) ?? [node]);
  }

  #normPlace(family: FamilyLayout, { channels, pattern }: FamilyNorm): FoldedNorm {
    const { size, begin } = this.#tables.planesOf(pattern);
    const place: NormPlace = {
      channels,
      statisticsBegin: 0,
      parametersBegin: begin,
      normBegin: begin,
      normSize: size,
      epsilon: family.epsilon,
    };
    return { table: this.#tables.of(pattern), place };
  }

  /** Brings the members to their place, with their moments and the planes of the norms whose last member they are. */
  #arrive(family: FamilyLayout): void {
    const { members, arrivals, standardizeNodes, mean, variance } = family;
    members.forEach(({ x, ...moments }, i) => {
      const norms = family.norms
        .filter(({ count }) => count === i + 1)
        .map((norm) => this.#normPlace(family, norm));
      const place = memberPlace(family, i);
      if (arrivals[i] === "stored with moments") {
        this.#replaced.set(standardizeNodes[i], []);
        const begin = family.begins[i];
        this.#outcomes.set(x.node!, { kind: "moments", place, mean, variance, begin, norms });
        return;
      }
      const copied = arrivals[i] === "copied";
      const nodes: Node[] = copied ? [copyNode(standardizeNodes[i], x, place)] : [];
      norms.forEach((norm, n) => {
        const keep = copied && n === 0;
        nodes.push(foldNode(norm, moments, keep ? { mean, variance } : null));
      });
      this.#replaced.set(standardizeNodes[i], nodes);
    });
  }

  #forward(family: FamilyLayout, { node, pattern }: FamilyNorm): void {
    const [z] = node.outputs;
    const planes = this.#tables.planesOf(pattern);
    const { activation } = pattern;
    const x = family.place;
    if (this.#isMadeInPassing(z)) {
      this.#readings.set(z, { kind: "activated", x, planes, activation });
      this.#replaced.set(node, []);
      return;
    }
    this.#replaced.set(node, [activatedNode(node, x, this.#placeOf(z), planes, activation)]);
  }

  /** A batch norm with given statistics. */
  #given(node: Node): void {
    const { pattern } = node.op;
    if (pattern?.kind !== "batchNorm" || !hasPlanes(pattern)) return;
    const { norm, activation } = pattern;
    const [z] = node.outputs;
    const virtual = this.#isMadeInPassing(z);
    const lies = norm.x.node?.op.pattern?.kind === "concat" || this.#placement.places.has(z);
    if (!virtual && !lies && !this.#placement.places.has(norm.x)) return;
    const x = this.#placeOf(norm.x);
    const { planes, nodes: folds } = this.#folder.fold(pattern);
    if (virtual) this.#readings.set(z, { kind: "activated", x, planes, activation });
    this.#replaced.set(
      node,
      virtual ? folds : [...folds, activatedNode(node, x, this.#placeOf(z), planes, activation)],
    );
  }

  #backward(family: FamilyLayout, norm: FamilyNorm): void {
    const { node, pattern } = norm.gradient!;
    const { dz } = pattern;
    const { activation } = pattern.of;
    const planes = this.#tables.planesOf(pattern.of);
    const x = family.place;
    const target = this.#gradientTarget(family, norm);
    const { shared } = family;
    const first = norm === family.gradientNorms[0];
    const stored = !shared ? "plain" : first ? "scaled" : "accumulated";
    const from = this.#placeOf(dz);
    // Of a linear one da is dz, which others may read, too.
    const stays = activation === "linear" && !shared && !family.gradientPlace;
    const product = this.#productOf(dz, node, stays);
    if (product) {
      const place = shared ? ownPlace(shared.total) : (family.gradientPlace ?? (stays ? from : ownPlace(dz)));
      const addends = product.others.map((other) => this.#placeOf(other));
      this.#outcomes.set(product.node, {
        kind: "normGradient",
        ...{ place, addends, stored, x, planes, activation, target },
      });
      this.#replaced.set(node, []);
      this.#gradientPlaces.set(norm, place);
      return;
    }
    const own = node.outputs[0];
    const place = shared ? ownPlace(shared.total) : (family.gradientPlace ?? (stays ? from : ownPlace(own)));
    this.#gradientPlaces.set(norm, place);
    const passed = { x, planes, activation, from, to: place, stored, target } as const;
    this.#replaced.set(node, [passedBackNode(node, dz, passed)]);
  }

  /**
   * The product that makes `dz`, alone or by adding its result to `others`, and can pass it back through the norm whose
   * gradient `reader` finds; with `shared` others may read it, too.
   */
  #productOf(
    dz: Tensor,
    reader: Node,
    shared: boolean,
  ): { readonly node: Node; readonly others: readonly Tensor[] } | null {
    const adder = dz.node ? this.#adders.get(dz.node) : undefined;
    if (adder && (adder.activationGradient || adder.buffers + NORM_GRADIENT_BUFFERS > this.#maxBuffers))
      return null;
    const made = adder ? adder.product.outputs[0] : dz;
    const pattern = made.node?.op.pattern;
    const can =
      pattern?.kind === "taps" &&
      pattern.taps.channels.length === 1 &&
      // Of phases of unequal size some tiles have no row, and leave no sums.
      pattern.taps.evenPhases &&
      made.node!.outputs[0] === made &&
      !this.#outcomes.has(made.node!) &&
      (shared || (!this.#readers.isKept(dz) && this.#readers.of(dz).every((each) => each === reader)));
    return can ? { node: made.node!, others: adder?.others ?? [] } : null;
  }

  /** Where the gradient by what a norm standardizes lies. */
  readonly #gradientPlaces = new Map<FamilyNorm, Place>();

  #gradientTarget(family: FamilyLayout, norm: FamilyNorm): NormGradientTarget {
    const { pattern, node } = norm.gradient!;
    const [, dgamma, dbeta] = node.outputs;
    const planes = this.#tables.planesOf(pattern.of);
    const targets = [dgamma, dbeta].map((gradient) => this.#vectorTarget(gradient));
    const { shared, width, members } = family;
    const first = norm === family.gradientNorms[0];
    const coefficients = shared ? shared.joint : this.#tables.of(pattern.of).coefficients;
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
    if (!this.#readers.isRead(gradient)) return null;
    const join = this.#joins.take(gradient, "filled");
    if (join) return { tensor: join.tensor, begin: join.begin, stacked: true };
    return { tensor: gradient, begin: 0, stacked: false };
  }

  /** The gradient by a member of a family. */
  #memberGradient(family: FamilyLayout, member: Tensor, node: Node): void {
    const index = family.members.findIndex(({ x }) => x === member);
    const { shared, gradientNorms, width, begins } = family;
    const [norm] = gradientNorms;
    const [dx] = node.outputs;
    const x = memberPlace(family, index);
    const gradient: Place = shared
      ? { home: shared.total, begin: begins[index] }
      : this.#gradientPlaces.get(norm)!;
    const coefficients = shared
      ? { tensor: shared.joint, size: width, begin: begins[index] }
      : this.#tables.coefficientsOf(norm.pattern);
    const sums = this.#readers.of(dx).filter(({ op }) => op.pattern?.kind === "channelSum");
    for (const sum of sums) this.#zero(sum);
    if (this.#isMadeInPassing(dx, sums, (reader) => this.#isImages(reader, dx))) {
      this.#readings.set(dx, { kind: "normGradient", gradient, x, coefficients });
      this.#replaced.set(node, []);
      return;
    }
    this.#replaced.set(node, [memberGradientNode(node, gradient, x, coefficients)]);
  }

  /** The gradient by what is added to all pixels before their mean is taken away, a bias, is zero. */
  #zero(node: Node): void {
    const [sum] = node.outputs;
    if (this.#joins.take(sum, "zero")) {
      this.#replaced.set(node, []);
      return;
    }
    this.#replaced.set(node, [zeroNode(node)]);
  }

  /** Whether every reader, but for `others`, can make `tensor` while it loads. */
  #isMadeInPassing(
    tensor: Tensor,
    others: readonly Node[] = [],
    canMake = (reader: Node): boolean => this.#canMake(reader, tensor),
  ): boolean {
    if (this.#readers.isKept(tensor)) return false;
    const readers = this.#readers.of(tensor).filter((reader) => !others.includes(reader));
    return readers.length > 0 && readers.every(canMake);
  }

  /** An activation by itself, or the gradient of one. */
  #activation(node: Node): void {
    const { pattern } = node.op;
    if (pattern?.kind === "activation" && this.#isActivatedInPassing(node, pattern)) {
      const { x, activation } = pattern;
      this.#readings.set(node.outputs[0], {
        kind: "activated",
        x: this.#placeOf(x),
        planes: null,
        activation,
      });
      this.#replaced.set(node, []);
    } else if (pattern?.kind === "activationGradient") {
      const { of, dy } = pattern;
      const [dx] = node.outputs;
      const y = node.inputs.find((input) => input !== dy && input !== of.x);
      const isStored = y !== undefined && !this.#readings.has(y);
      if (this.#passesBack(node) && !this.#outcomes.has(dy.node!)) {
        const before = this.#placeOf(isStored ? y : of.x);
        const { activation } = of;
        const place = this.#placeOf(dx);
        this.#outcomes.set(dy.node!, { kind: "activationGradient", place, addends: [], before, activation });
        this.#replaced.set(node, []);
      } else if (y && !isStored) this.#replaced.set(node, [gradientOfInputNode(node, pattern)]);
    }
  }

  /** A sum, where there is more to do than to add what is stored. */
  #sum(sum: Sum): void {
    const { root, terms, absorbed } = sum;
    const [z] = root.outputs;
    const adder = this.#adders.get(root);
    if (adder && this.#addsInPassing(adder, this.#placeOf(z))) {
      for (const node of absorbed) this.#replaced.set(node, []);
      this.#movedTo.set(adder.product, root);
      return;
    }
    const readings = terms.map(
      (term): Reading => this.#readingOf([term]) ?? { kind: "stored", place: ownPlace(term) },
    );
    const place = this.#placeOf(z);
    const isPlain = readings.every(
      (reading, i) => reading.kind === "stored" && reading.place.home === terms[i],
    );
    if (isPlain && absorbed.length === 0 && place.home === z) return;
    for (const node of absorbed) this.#replaced.set(node, []);
    this.#replaced.set(root, [sumNode(sum, readings, place)]);
  }

  /** Whether a product stores at `place` what it makes and others added to it. */
  #addsInPassing({ product, activationGradient, others }: Adder, place: Place): boolean {
    const known = this.#outcomes.get(product);
    const addends = others.map((other) => this.#placeOf(other));
    if (activationGradient) {
      if (known?.kind !== "activationGradient") return false;
      this.#outcomes.set(product, { ...known, place, addends });
      return true;
    }
    if (!known) this.#outcomes.set(product, { kind: "placed", place, addends });
    return !known || known.kind === "normGradient";
  }

  /** How a product reads a tensor that does not lie by itself; null for any other, and for two taken for one. */
  #readingOf([images, second]: readonly Tensor[]): Reading | null {
    if (second) return null;
    const place = this.#placement.places.get(images);
    return this.#readings.get(images) ?? (place ? { kind: "stored", place } : null);
  }

  #product(node: Node): void {
    const { pattern } = node.op;
    if (pattern?.kind === "taps") {
      const reading = this.#readingOf(pattern.sources);
      const [y] = node.outputs;
      const place = this.#placement.places.get(y);
      const outcome =
        this.#outcomes.get(node) ?? (place ? { kind: "placed", place, addends: [] } : { kind: "as it is" });
      if (reading || outcome.kind !== "as it is") {
        this.#replaced.set(node, []);
        this.#replaced.set(this.#movedTo.get(node) ?? node, [fusedTaps(node, pattern, reading, outcome)]);
      }
    } else if (pattern?.kind === "weights") {
      const { x, gradients } = pattern;
      const left = this.#readingOf([x]) ?? { kind: "stored" as const, place: ownPlace(x) };
      const right = this.#readingOf(gradients);
      const [dw] = node.outputs;
      const join = this.#joins.take(dw, "exact");
      if (left.kind === "stored" && left.place.home === x && !right && !join) return;
      const { geometry } = pattern;
      if (join && right && geometry) {
        this.#weights.push({ node, geometry, left, right, half: x.dtype === "f16", to: join });
      }
      const to = join
        ? { tensor: join.tensor, operand: slice(join.tensor, { first: join.begin, count: sizeOf(dw.shape) }) }
        : { tensor: dw, operand: dw };
      this.#replaced.set(node, [fusedWeights(node, pattern, left, right, to)]);
    }
  }

  /** Runs products by weights together, where the last of them would run. */
  #batchWeights(): void {
    const order = new Map(this.#nodes.map((node, i) => [node, i]));
    for (const batch of batchesOf(this.#weights)) {
      const nodes = batch.jobs.map(({ node }) => node).sort((a, b) => order.get(a)! - order.get(b)!);
      for (const node of nodes) this.#replaced.set(node, []);
      this.#replaced.set(nodes[nodes.length - 1], [batchedWeights(batch)]);
    }
  }
}
