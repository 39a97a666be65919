import type {
  Graph as GraphType,
  Node,
  Op,
  ParameterOptions,
  SlotOptions,
  Tensor,
  Variable,
  VariableOptions,
  VariablePart,
} from "./graph-types.ts";
import type { Initializer } from "./initializers.ts";
import { printGraph } from "./print-graph.ts";
import { sameShape, shapeText, sizeOf } from "./shape.ts";
import type { DType, Shape, TensorType } from "./shape.ts";

export type {
  Node,
  ParameterOptions,
  Tensor,
  Variable,
  VariableOptions,
  VariablePart,
} from "./graph-types.ts";

/**
 * Parts of a stack begin at multiples of so many elements: 256 bytes, the most that an adapter may ask of the offset of a
 * binding, so that any part can be bound by itself. What lies between two parts is zero and stays so.
 */
export const STACK_ALIGNMENT = 64;

/**
 * The named pieces of a variable: itself, or the parts of a stack.
 *
 * @throws Error when `tensor` is not a variable.
 */
export function variableParts({ name, variable }: Tensor): readonly VariablePart[] {
  if (!variable) throw new Error(`"${name}" is not a variable.`);
  return variable.parts;
}

/** A part of a variable and its numbers. */
export interface PartValues extends VariablePart {
  /** In row-major order: a view, not a copy. */
  readonly values: Float32Array;
}

/**
 * The values of each part of a variable, as views of `values`, which are the variable's or those of its gradient: the parts of a
 * stack begin at multiples of 64 elements, and what lies between them is left out.
 *
 * @throws Error when `tensor` is not a variable.
 */
export function partValues(tensor: Tensor, values: Float32Array): PartValues[] {
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

class StaticGraph implements GraphType {
  readonly inputs = new Map<string, Tensor>();
  readonly variables = new Map<string, Tensor<"f32">>();
  readonly nodes: Node[] = [];
  /** The variable that each named piece lies in. */
  readonly #homes = new Map<string, Tensor>();
  #nextId = 0;
  #backward = false;

  input<D extends Exclude<DType, "f16"> = "f32">(name: string, shape: Shape, dtype?: D): Tensor<D> {
    if (this.inputs.has(name)) throw new Error(`The graph already has an input "${name}".`);
    const tensor = this.#tensor({ shape, dtype: dtype ?? ("f32" as D) }, name, null, null);
    this.inputs.set(name, tensor);
    return tensor;
  }

  parameter(
    name: string,
    shape: Shape,
    initializer: Initializer,
    options: ParameterOptions = {},
  ): Tensor<"f32"> {
    return this.#variable(name, shape, [{ name, shape, initializer }], roleOf(options), options);
  }

  state(name: string, shape: Shape, initializer: Initializer, options: VariableOptions = {}): Tensor<"f32"> {
    return this.#variable(name, shape, [{ name, shape, initializer }], "state", options);
  }

  stackedParameter(
    name: string,
    parts: readonly VariablePart[],
    options: ParameterOptions = {},
  ): Tensor<"f32"> {
    return this.#variable(name, stackShape(parts), parts, roleOf(options), options);
  }

  stackedState(name: string, parts: readonly VariablePart[], options: VariableOptions = {}): Tensor<"f32"> {
    return this.#variable(name, stackShape(parts), parts, "state", options);
  }

  slotOf(
    variable: Tensor,
    suffix: string,
    initializer: Initializer,
    options: SlotOptions = {},
  ): Tensor<"f32"> {
    const parts = variableParts(variable).map(({ name, shape }) => ({
      name: `${name}/${suffix}`,
      shape,
      initializer,
    }));
    return this.#variable(`${variable.name}/${suffix}`, variable.shape, parts, "state", options);
  }

  apply<const Types extends readonly TensorType[]>(op: Op<Types>, inputs: readonly Tensor[]): Node<Types> {
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
    return node as Node as Node<Types>;
  }

  print(): string {
    return printGraph(this);
  }

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
    { group = null, copyOf }: SlotOptions,
  ): Tensor<"f32"> {
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
    const tensor = this.#tensor({ shape, dtype: "f32" }, name, null, { role, group, parts, begins, copyOf });
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

  #tensor<D extends DType>(
    { shape, dtype }: TensorType<D>,
    name: string,
    node: Node | null,
    variable: Variable | null,
  ): Tensor<D> {
    if (shape.some((extent) => !Number.isInteger(extent) || extent < 1)) {
      throw new Error(
        `"${name}" cannot have the shape ${shapeText(shape)}: extents are whole numbers from 1.`,
      );
    }
    return { graph: this, id: this.#nextId++, name, shape: [...shape], dtype, node, variable };
  }
}

/** Makes graphs. Their type is an interface, because tensors name the graph that they belong to. */
export interface GraphConstructor {
  /** A new, empty graph. */
  new (): GraphType;
}

/** A new, empty graph: `new Graph()`. */
export const Graph: GraphConstructor = StaticGraph;
export type Graph = GraphType;

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
