import type { Initializer } from "./initializers.ts";
import type { Op } from "./op.ts";
import { sameShape, shapeText } from "./shape.ts";
import type { DType, Shape, TensorType } from "./shape.ts";

/** A value of the graph: shape and dtype are known when it is made, its numbers only when a program runs. */
export interface Tensor extends TensorType {
  readonly graph: Graph;
  /** Position in the order of creation; a node's inputs always come before its outputs. */
  readonly id: number;
  readonly name: string;
  /** What computes it; `null` for inputs and variables. */
  readonly node: Node | null;
  /** Set on tensors that live beyond one run. */
  readonly variable: Variable | null;
}

/** What makes a tensor a variable: it keeps its numbers between runs, and programs that name it share them. */
export interface Variable {
  /**
   * `parameter`: learned, `gradients` follows it. `frozen`: a parameter that is not, so nothing behind it costs a
   * backward pass. `state`: never a parameter (moving statistics, an optimizer's slots, the learning rate).
   */
  readonly role: "parameter" | "frozen" | "state";
  readonly initializer: Initializer;
}

/** One application of an op. */
export interface Node {
  readonly graph: Graph;
  /** Position in the order of creation. */
  readonly index: number;
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/**
 * A static graph, built once: inputs, variables and the ops between them, in an order in which they can run.
 * `gradients` adds the backward pass to the same graph; `compile` makes a program of what is asked for.
 */
export class Graph {
  readonly inputs = new Map<string, Tensor>();
  readonly variables = new Map<string, Tensor>();
  readonly nodes: Node[] = [];
  #nextId = 0;

  /** A tensor that is fed at each run. */
  input(name: string, shape: Shape, dtype: DType = "f32"): Tensor {
    if (this.inputs.has(name)) throw new Error(`The graph already has an input "${name}".`);
    const tensor = this.#tensor({ shape, dtype }, name, null, null);
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** A learned tensor, f32; `trainable: false` freezes it. */
  parameter(name: string, shape: Shape, initializer: Initializer, { trainable = true } = {}): Tensor {
    return this.#variable(name, shape, { role: trainable ? "parameter" : "frozen", initializer });
  }

  /** A tensor that lives beyond one run and is never learned, f32. */
  state(name: string, shape: Shape, initializer: Initializer): Tensor {
    return this.#variable(name, shape, { role: "state", initializer });
  }

  /** Adds a node and its output tensors; ops call it. `inputs` must belong to this graph. */
  apply(op: Op, inputs: readonly Tensor[]): Node {
    for (const input of inputs) {
      if (input.graph !== this) throw new Error(`${op.name}: "${input.name}" belongs to another graph.`);
    }
    const node = { graph: this, index: this.nodes.length, op, inputs, outputs: [] as Tensor[] };
    op.outputs.forEach((type, i) => {
      const suffix = op.outputs.length > 1 ? `:${i}` : "";
      node.outputs.push(this.#tensor(type, `${op.name}_${this.nodes.length}${suffix}`, node, null));
    });
    this.nodes.push(node);
    return node;
  }

  #variable(name: string, shape: Shape, variable: Variable): Tensor {
    const known = this.variables.get(name);
    if (known) {
      if (sameShape(known.shape, shape) && known.variable?.role === variable.role) return known;
      throw new Error(
        `The variable "${name}" exists as ${known.variable?.role} ${shapeText(known.shape)} and was asked for as ` +
          `${variable.role} ${shapeText(shape)}.`,
      );
    }
    const tensor = this.#tensor({ shape, dtype: "f32" }, name, null, variable);
    this.variables.set(name, tensor);
    return tensor;
  }

  #tensor({ shape, dtype }: TensorType, name: string, node: Node | null, variable: Variable | null): Tensor {
    if (shape.some((extent) => !Number.isInteger(extent) || extent < 1)) {
      throw new Error(
        `"${name}" cannot have the shape ${shapeText(shape)}: extents are whole numbers from 1.`,
      );
    }
    return { graph: this, id: this.#nextId++, name, shape: [...shape], dtype, node, variable };
  }
}
