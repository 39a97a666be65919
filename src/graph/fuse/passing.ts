/** @file Who can make a tensor while it loads it, and who can store it or read it among the channels of another. */
import type { Node, Tensor } from "../graph.ts";
import type { ActivationPattern } from "../pattern.ts";
import { bendsAlike, passesBackTo } from "./activations.ts";
import { hasPlanes } from "./given-statistics.ts";
import type { Abilities } from "./placement.ts";
import type { Readers } from "./readers.ts";
import type { Sum } from "./sums.ts";

/** The rewritten norms of a program, and the nodes of their gradients. */
export interface NormNodes {
  readonly norms: ReadonlySet<Node>;
  readonly gradients: ReadonlySet<Node>;
}

export class Passing implements Abilities {
  readonly #readers: Readers;
  readonly #sums: ReadonlyMap<Node, Sum>;
  /** The sums of their roots, and of what they absorb. */
  readonly #inSums: ReadonlyMap<Node, Sum>;
  readonly #norms: NormNodes | null;
  readonly #activationGradients = new Map<ActivationPattern, Node[]>();

  constructor(
    nodes: readonly Node[],
    readers: Readers,
    norms: NormNodes | null,
    sums: ReadonlyMap<Node, Sum>,
  ) {
    this.#readers = readers;
    this.#norms = norms;
    this.#sums = sums;
    this.#inSums = new Map(
      [...sums.values()].flatMap((sum) => [sum.root, ...sum.absorbed].map((node) => [node, sum])),
    );
    for (const node of nodes) {
      const { pattern } = node.op;
      if (pattern?.kind !== "activationGradient") continue;
      const known = this.#activationGradients.get(pattern.of) ?? [];
      this.#activationGradients.set(pattern.of, [...known, node]);
    }
  }

  canStore(tensor: Tensor): boolean {
    const { node } = tensor;
    if (!node) return false;
    const { pattern } = node.op;
    if (pattern?.kind === "taps") return pattern.taps.channels.length === 1 && node.outputs[0] === tensor;
    if (pattern?.kind === "batchNorm") return hasPlanes(pattern);
    return this.#sums.has(node) || (this.#norms?.norms.has(node) ?? false);
  }

  canRead(node: Node, tensor: Tensor): boolean {
    const { pattern } = node.op;
    switch (pattern?.kind) {
      case "taps":
      case "weights":
        return this.isImages(node, tensor);
      case "batchNorm":
        return hasPlanes(pattern) && pattern.norm.x === tensor;
      case "affineGradient":
        return pattern.dz === tensor && (this.#norms?.gradients.has(node) ?? false);
      case "sum":
        return this.#addsUp(node, tensor);
      case "activation":
        return (
          pattern.x === tensor &&
          this.isActivated(node, pattern) &&
          this.#gradientsOf(pattern).every((gradient) => this.passesBack(gradient))
        );
      case "activationGradient":
        return pattern.dy !== tensor && this.passesBack(node);
      default:
        return false;
    }
  }

  /** Whether `tensor` is what a product reads, alone or as one of its two operands. */
  isImages({ op: { pattern } }: Node, tensor: Tensor): boolean {
    if (pattern?.kind === "taps") return pattern.sources.length === 1 && pattern.sources[0] === tensor;
    if (pattern?.kind !== "weights") return false;
    const { x, gradients } = pattern;
    const [gradient] = gradients;
    return x !== gradient && (x === tensor || (gradients.length === 1 && gradient === tensor));
  }

  /** Whether a product can make `tensor` while it loads it. */
  #loads(node: Node, tensor: Tensor): boolean {
    const { pattern } = node.op;
    // A product by weights has no planes at hand for the right operand's channels one by one.
    const oneByOne =
      tensor.shape[3] % 4 !== 0 && pattern?.kind === "weights" && pattern.gradients.includes(tensor);
    return this.isImages(node, tensor) && !oneByOne;
  }

  #addsUp(node: Node, tensor: Tensor): boolean {
    return this.#inSums.get(node)?.terms.includes(tensor) ?? false;
  }

  /** Whether every reader of what a batch norm or an activation makes, but for `others`, can make it while it loads. */
  isNormed(tensor: Tensor, others: readonly Node[] = []): boolean {
    return this.#isMade(
      tensor,
      others,
      (reader) => this.#loads(reader, tensor) || this.#addsUp(reader, tensor),
    );
  }

  /** Whether sums alone read `tensor`, and can make it themselves. */
  isAdded(tensor: Tensor): boolean {
    return this.#isMade(tensor, [], (reader) => this.#addsUp(reader, tensor));
  }

  /** Whether every reader of the gradient of a standardization, but for `others`, can make it while it loads. */
  isNormGradient(tensor: Tensor, others: readonly Node[]): boolean {
    return this.#isMade(tensor, others, (reader) => this.#loads(reader, tensor));
  }

  #isMade(tensor: Tensor, others: readonly Node[], canMake: (reader: Node) => boolean): boolean {
    if (this.#readers.isKept(tensor)) return false;
    const readers = this.#readers.of(tensor).filter((reader) => !others.includes(reader));
    return readers.length > 0 && readers.every(canMake);
  }

  /** Whether all who read the result of an activation make it while they load, its gradient aside. */
  isActivated(node: Node, pattern: ActivationPattern): boolean {
    const [y] = node.outputs;
    const fits = y.shape.length === 4 && bendsAlike(pattern);
    return fits && !this.#inSums.has(node) && this.isNormed(y, this.#gradientsOf(pattern));
  }

  #gradientsOf(pattern: ActivationPattern): readonly Node[] {
    return this.#activationGradients.get(pattern) ?? [];
  }

  /** Whether the product that makes what the gradient of an activation reads can pass it back itself. */
  passesBack(node: Node): boolean {
    const { pattern } = node.op;
    return (
      pattern?.kind === "activationGradient" &&
      bendsAlike(pattern.of) &&
      passesBackTo(node, pattern.dy, this.#readers)
    );
  }
}
