import type { Initializer } from "./initializers.ts";
import type { Op } from "./op.ts";
import { printGraph } from "./print-graph.ts";
import { sameShape, shapeText, sizeOf } from "./shape.ts";
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
  /**
   * What it belongs to, for those who treat some variables otherwise than others: `encoder`, `decoder` and `head` of the
   * U-Net, `optimizer`, `accumulator`, or what the layer's author calls it; null when nothing was said.
   */
  readonly group: string | null;
  /**
   * The named pieces that lie in it one after the other: one of its own name and shape, or of a stacked variable several.
   * Weight files and checkpoints know the pieces; the stack's own name is a label.
   */
  readonly parts: readonly VariablePart[];
  /** The element that each part begins with. */
  readonly begins: readonly number[];
}

/**
 * Parts of a stack begin at multiples of so many elements: 256 bytes, the most that an adapter may ask of the offset of a
 * binding, so that any part can be bound by itself. What lies between two parts is zero and stays so.
 */
export const STACK_ALIGNMENT = 64;

export interface VariableOptions {
  /** See {@link Variable.group}. */
  readonly group?: string | null | undefined;
}

export interface ParameterOptions extends VariableOptions {
  /** By default; `false` freezes it. */
  readonly trainable?: boolean;
}

/** A piece of a variable that has a name, a shape and first values of its own. */
export interface VariablePart {
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
}

/**
 * The named pieces of a variable: itself, or the parts of a stack.
 *
 * @throws Error when `tensor` is not a variable.
 */
export function variableParts({ name, variable }: Tensor): readonly VariablePart[] {
  if (!variable) throw new Error(`"${name}" is not a variable.`);
  return variable.parts;
}

/**
 * The values of each part of a variable, as views of `values`, which are the variable's or those of its gradient: a stack has
 * gaps between its parts (see {@link STACK_ALIGNMENT}).
 *
 * @throws Error when `tensor` is not a variable.
 */
export function partValues(
  tensor: Tensor,
  values: Float32Array,
): (VariablePart & { values: Float32Array })[] {
  return variableParts(tensor).map((part, i) => {
    const begin = tensor.variable!.begins[i];
    return { ...part, values: values.subarray(begin, begin + sizeOf(part.shape)) };
  });
}

/** The tensor in whose memory the numbers of `tensor` lie: itself, or what an identity (see `Op.identity`) was made of. */
export function storageOf(tensor: Tensor): Tensor {
  let storage = tensor;
  while (storage.node?.op.identity) [storage] = storage.node.inputs;
  return storage;
}

/** The element of {@link storageOf} that `tensor` begins with; other than 0 for a part of a stack. */
export function beginOf(tensor: Tensor): number {
  let begin = 0;
  for (let storage = tensor; storage.node?.op.identity; [storage] = storage.node.inputs)
    begin += storage.node.op.begin ?? 0;
  return begin;
}

/** Whether two variables are made of pieces of the same names and shapes. */
export const sameParts = (a: readonly VariablePart[], b: readonly VariablePart[]): boolean =>
  a.length === b.length &&
  a.every(({ name, shape }, i) => name === b[i].name && sameShape(shape, b[i].shape));

/** One application of an op. */
export interface Node {
  readonly graph: Graph;
  /** Position in the order of creation. */
  readonly index: number;
  readonly op: Op;
  /** Whether it is part of the backward pass that `gradients` adds. */
  readonly backward: boolean;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/**
 * A static graph, built once: inputs, variables and the ops between them, in an order in which they can run.
 * `gradients` adds the backward pass to the same graph; `compile` makes a program of what is asked for.
 */
export class Graph {
  readonly inputs = new Map<string, Tensor>();
  /** A stacked variable once, by its own name; see {@link variableParts}. */
  readonly variables = new Map<string, Tensor>();
  readonly nodes: Node[] = [];
  /** The variable that each named piece lies in. */
  readonly #homes = new Map<string, Tensor>();
  #nextId = 0;
  #backward = false;

  /** A tensor that is fed at each run; the op `cast` makes f16 of one. */
  input(name: string, shape: Shape, dtype: Exclude<DType, "f16"> = "f32"): Tensor {
    if (this.inputs.has(name)) throw new Error(`The graph already has an input "${name}".`);
    const tensor = this.#tensor({ shape, dtype }, name, null, null);
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** A learned tensor, f32; `trainable: false` freezes it. */
  parameter(name: string, shape: Shape, initializer: Initializer, options: ParameterOptions = {}): Tensor {
    return this.#variable(name, shape, [{ name, shape, initializer }], roleOf(options), options);
  }

  /** A tensor that lives beyond one run and is never learned, f32. */
  state(name: string, shape: Shape, initializer: Initializer, options: VariableOptions = {}): Tensor {
    return this.#variable(name, shape, [{ name, shape, initializer }], "state", options);
  }

  /**
   * Several learned tensors as one, f32 `[elements]`: what treats many parameters alike, an optimizer for example, takes
   * them in one go. Every part begins at a multiple of {@link STACK_ALIGNMENT}; the op `part` gives one of them. Files know
   * the parts only; `name` is what errors and plans call the whole.
   *
   * @throws Error when there is no part, or a part's name is taken.
   */
  stackedParameter(name: string, parts: readonly VariablePart[], options: ParameterOptions = {}): Tensor {
    return this.#variable(name, stackShape(parts), parts, roleOf(options), options);
  }

  /** {@link state}, stacked as {@link stackedParameter} is. */
  stackedState(name: string, parts: readonly VariablePart[], options: VariableOptions = {}): Tensor {
    return this.#variable(name, stackShape(parts), parts, "state", options);
  }

  /**
   * A state that goes with a variable and has its shape, an optimizer's slot for example: `<name>/<suffix>`, and where the
   * variable is stacked a stack of `<part>/<suffix>`.
   */
  slotOf(variable: Tensor, suffix: string, initializer: Initializer, options: VariableOptions = {}): Tensor {
    const parts = variableParts(variable).map(({ name, shape }) => ({
      name: `${name}/${suffix}`,
      shape,
      initializer,
    }));
    return this.#variable(`${variable.name}/${suffix}`, variable.shape, parts, "state", options);
  }

  /** Adds a node and its output tensors; ops call it. `inputs` must belong to this graph. */
  apply(op: Op, inputs: readonly Tensor[]): Node {
    for (const input of inputs) {
      if (input.graph !== this) throw new Error(`${op.name}: "${input.name}" belongs to another graph.`);
    }
    const node = {
      graph: this,
      index: this.nodes.length,
      op,
      backward: this.#backward,
      inputs,
      outputs: [] as Tensor[],
    };
    op.outputs.forEach((type, i) => {
      const suffix = op.outputs.length > 1 ? `:${i}` : "";
      node.outputs.push(this.#tensor(type, `${op.name}_${this.nodes.length}${suffix}`, node, null));
    });
    this.nodes.push(node);
    return node;
  }

  /** The graph as a table: one line a tensor, with the op that makes it, its shape and type, and what it is made of. */
  print(): string {
    return printGraph(this);
  }

  /** Calls `build`; the nodes that it adds are those of the backward pass. */
  addBackward<T>(build: () => T): T {
    const before = this.#backward;
    this.#backward = true;
    try {
      return build();
    } finally {
      this.#backward = before;
    }
  }

  #variable(
    name: string,
    shape: Shape,
    parts: readonly VariablePart[],
    role: Variable["role"],
    { group = null }: VariableOptions,
  ): Tensor {
    const known = this.variables.get(name);
    if (
      known?.variable?.role === role &&
      known.variable.group === group &&
      sameShape(known.shape, shape) &&
      sameParts(known.variable.parts, parts)
    )
      return known;
    const stack = parts.length > 1 ? ` of ${parts.length} parts` : "";
    const asked = `was asked for as ${role} ${shapeText(shape)}${stack}${groupText(group)}`;
    if (known) throw new Error(`The variable "${name}" exists as ${description(known)} and ${asked}.`);
    this.#checkPartsAreFree(name, parts, asked);
    const begins = partBegins(parts);
    const tensor = this.#tensor({ shape, dtype: "f32" }, name, null, { role, group, parts, begins });
    this.variables.set(name, tensor);
    for (const part of parts) this.#homes.set(part.name, tensor);
    return tensor;
  }

  #checkPartsAreFree(name: string, parts: readonly VariablePart[], asked: string): void {
    const seen = new Set<string>();
    for (const part of parts) {
      const home = this.#homes.get(part.name);
      if (home) {
        const place = home.name === part.name ? description(home) : `a part of "${home.name}"`;
        const other = part.name === name ? asked : `was asked for as a part of "${name}"`;
        throw new Error(`The variable "${part.name}" exists as ${place} and ${other}.`);
      }
      if (seen.has(part.name)) throw new Error(`"${name}" has two parts called "${part.name}".`);
      seen.add(part.name);
    }
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

const roleOf = ({ trainable = true }: ParameterOptions): Variable["role"] =>
  trainable ? "parameter" : "frozen";

const aligned = (size: number): number => Math.ceil(size / STACK_ALIGNMENT) * STACK_ALIGNMENT;

function partBegins(parts: readonly VariablePart[]): number[] {
  let begin = 0;
  return parts.map(({ shape }) => {
    const own = begin;
    begin += aligned(sizeOf(shape));
    return own;
  });
}

/** Of parts that each begin at a multiple of {@link STACK_ALIGNMENT}. */
const stackShape = (parts: readonly VariablePart[]): Shape => [
  parts.reduce((sum, { shape }) => sum + aligned(sizeOf(shape)), 0),
];

/** `parameter [3, 3, 64, 32]`, or `parameter [9216] of 6 parts`. */
const description = ({ shape, variable }: Tensor): string =>
  `${variable?.role} ${shapeText(shape)}` +
  (variable && variable.parts.length > 1 ? ` of ${variable.parts.length} parts` : "") +
  groupText(variable?.group ?? null);

const groupText = (group: string | null): string => (group === null ? "" : ` of the group "${group}"`);
