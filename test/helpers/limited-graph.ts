import { Graph } from "../../src/graph/graph.ts";
import type { Node, Tensor } from "../../src/graph/graph.ts";
import type { Op } from "../../src/graph/op.ts";

/** A graph whose ops believe that a dispatch may bind no more than `maxStorageBuffers`, whatever the adapter allows. */
export class LimitedGraph extends Graph {
  readonly #maxStorageBuffers: number;

  constructor(maxStorageBuffers: number) {
    super();
    this.#maxStorageBuffers = maxStorageBuffers;
  }

  override apply(op: Op, inputs: readonly Tensor[]): Node {
    const limit = { maxStorageBuffers: this.#maxStorageBuffers };
    const lower: Op["lower"] = (l, outputs) =>
      op.lower?.({ ...l, target: { ...l.target, ...limit } }, outputs);
    return super.apply({ ...op, ...(op.lower && { lower }) }, inputs);
  }
}
