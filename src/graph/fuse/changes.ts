import type { Node, Tensor } from "../graph.ts";
import { ownPlace } from "./place.ts";
import type { Place } from "./place.ts";
import type { Placement } from "./placement.ts";
import type { Outcome } from "./products.ts";
import type { Reading } from "./reading.ts";
import type { TermReading } from "./sums.ts";

/** What a rewrite makes of a program. */
export class Changes {
  readonly #placement: Placement;
  /** How products and sums read what is not stored as itself. */
  readonly readings = new Map<Tensor, Reading>();
  /** How sums read what they alone read, and what is not stored either. */
  readonly terms = new Map<Tensor, TermReading>();
  /** What becomes of what products make. */
  readonly outcomes = new Map<Node, Outcome>();
  /** What becomes of one node: others in its place. */
  readonly replaced = new Map<Node, readonly Node[]>();
  /** Of products that run later than they did, in whose place. */
  readonly movedTo = new Map<Node, Node>();

  constructor(placement: Placement) {
    this.#placement = placement;
  }

  drop(...nodes: readonly Node[]): void {
    for (const node of nodes) this.replaced.set(node, []);
  }

  isPlaced(tensor: Tensor): boolean {
    return this.#placement.places.has(tensor);
  }

  placeOf(tensor: Tensor): Place {
    return this.#placement.places.get(tensor) ?? ownPlace(tensor);
  }

  /** How a product reads a tensor that does not lie by itself; null for any other, and for two taken for one. */
  readingOf([images, second]: readonly Tensor[]): Reading | null {
    if (second) return null;
    const lies = this.isPlaced(images) ? ({ kind: "stored", place: this.placeOf(images) } as const) : null;
    return this.readings.get(images) ?? lies;
  }
}
