import { Graph } from "../../src/graph/graph.ts";
import type { Node, Tensor } from "../../src/graph/graph.ts";
import type { Op } from "../../src/graph/op.ts";
import type { TensorType } from "../../src/graph/shape.ts";

/** A graph whose ops believe that a dispatch may bind no more than `maxStorageBuffers`, whatever the adapter allows. */
export class LimitedGraph extends Graph {
  readonly #maxStorageBuffers: number;

  constructor(maxStorageBuffers: number) {
    super();
    this.#maxStorageBuffers = maxStorageBuffers;
  }

  override apply<const Types extends readonly TensorType[]>(
    op: Op<Types>,
    inputs: readonly Tensor[],
  ): Node<Types> {
    const limit = { maxStorageBuffers: this.#maxStorageBuffers };
    const lower: Op["lower"] = (l, outputs) =>
      op.lower?.({ ...l, target: { ...l.target, ...limit } }, outputs);
    return super.apply({ ...op, ...(op.lower && { lower }) }, inputs);
  }
}
