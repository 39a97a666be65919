import { tensorBytes } from "../tensor-bytes.ts";
import type { OnnxAttribute, OnnxNode, OnnxTensor } from "./model.ts";

/** Gathers the nodes and the constants of a graph; tensors are known by their names. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];

  /**
   * Adds a node that makes one tensor.
   *
   * @returns the tensor's name, which is the node's too
   */
  node(
    operator: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    this.nodes.push({ name, operator, inputs, outputs: [name], attributes });
    return name;
  }

  /** Adds a constant of 32-bit floats, which must not change until the model is written; returns its name. */
  floats(name: string, shape: readonly number[], data: Float32Array): string {
    this.initializers.push({ name, type: "float32", shape, data: tensorBytes({ shape, data }) });
    return name;
  }

  /** Adds a constant list of integers; returns its name. */
  ints(name: string, values: readonly number[]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.initializers.push({ name, type: "int64", shape: [values.length], data });
    return name;
  }
}
