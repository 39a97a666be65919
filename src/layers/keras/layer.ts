/**
 * @file What a layer of the kit is: `dense(32, { activation: "relu" })` makes one, and applied to a tensor it adds its ops and variables to
 * the tensor's graph. The same layer applied to tensors of several graphs has variables of the same names in all of them, so that
 * programs which share `Variables` share what it has learned.
 */
import type { Graph, Tensor } from "../../graph/graph.ts";
import type { Initializer } from "../../graph/initializers.ts";
import type { DType, Shape } from "../../graph/shape.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";

/** How a layer is applied. `sequential` hands it on to its layers. */
export interface CallOptions {
  /** Whether this is a training step: dropout drops, and batch norms take the statistics of the batch. Not by default. */
  readonly training?: boolean | undefined;
  /** Which training step this is, a u32 scalar, for dropout; by default the runs are counted in a variable, `dropout/step`. */
  readonly step?: Tensor | undefined;
  /** What the names of the layer's variables begin with; nothing by default. */
  readonly scope?: string | undefined;
  /** What a layer that {@link Layer.appliesActivation} applies to its result. */
  readonly activation?: ActivationKind | undefined;
}

/** What all layers take. */
export interface LayerOptions {
  /**
   * What its variables are called: `<name>/kernel`. By default Keras's name of the layer, `dense`, in each graph numbered in the order in
   * which layers are first applied there: `dense`, `dense_1`, `dense_2`.
   */
  readonly name?: string | undefined;
  /** Whether it is learned, as by default; a frozen layer costs no backward pass. */
  readonly trainable?: boolean | undefined;
  /** What its variables belong to; see `Variable.group`. */
  readonly group?: string | null | undefined;
}

/** What a layer makes of numbers of a type: of floats floats as they are stored, of whole numbers f32. */
export type LayerResult<D extends DType> = Tensor<D extends "u32" ? "f32" : D>;

/** A layer: a function from tensors to a tensor. Applied twice in a graph, it uses the same variables twice. */
export interface Layer<Call extends CallOptions = CallOptions> {
  <D extends DType>(x: Tensor<D>, call?: Call): LayerResult<D>;
  /** Keras's name of such layers, e.g. `dense`. */
  readonly kind: string;
  /** Whether it applies the activation of the layer that follows in the same kernels, as `sequential` then asks for. */
  readonly appliesActivation?: boolean;
  /** Of a layer that is nothing but an activation of single numbers: which. */
  readonly activation?: ActivationKind;
}

/** What a layer makes its variables with. */
export interface LayerScope {
  /** The layer's, in this graph. */
  readonly name: string;
  /** The graph of what it is applied to. */
  readonly graph: Graph;
  /** Whether it is learned. */
  readonly trainable: boolean;
  /** A learned variable `<name>/<role>`; frozen where the layer is. */
  parameter(role: string, shape: Shape, initializer: Initializer): Tensor<"f32">;
  /** One that is never learned. */
  state(role: string, shape: Shape, initializer: Initializer): Tensor<"f32">;
}

/**
 * Makes a layer of one's own: `apply` adds its ops to the graph of `x` and makes its variables by `scope`.
 *
 * @param kind what it is called without a name of its own
 * @throws Error when the name of `options` is empty or begins or ends with a slash. Applied, the layer throws what `apply` throws, and an
 *   Error when another layer of the graph has its name.
 */
export function defineLayer<Call extends CallOptions = CallOptions>(
  kind: string,
  { name, trainable = true, group }: LayerOptions,
  apply: (x: Tensor, scope: LayerScope, call: Call) => Tensor,
): Layer<Call> {
  const own = new LayerName(kind, name);
  const layer = <D extends DType>(x: Tensor<D>, call = {} as Call): LayerResult<D> => {
    const { graph } = x;
    let named: string | undefined;
    const nameHere = (): string => (named ??= own.in(graph, call.scope));
    const scope: LayerScope = {
      get name() {
        return nameHere();
      },
      graph,
      trainable,
      parameter: (role, shape, initializer) =>
        graph.parameter(`${nameHere()}/${role}`, shape, initializer, { trainable, group }),
      state: (role, shape, initializer) =>
        graph.state(`${nameHere()}/${role}`, shape, initializer, { group }),
    };
    return apply(x, scope, call) as LayerResult<D>;
  };
  return Object.assign(layer, { kind });
}

/** Whose each name is, in each graph. */
const OWNERS = new WeakMap<Graph, Map<string, LayerName>>();

/** The name of a layer: found when it is first applied, and the same in every graph from then on. */
class LayerName {
  readonly #kind: string;
  readonly #given: string | undefined;
  #name: string | undefined;

  constructor(kind: string, given: string | undefined) {
    if (given !== undefined && (given === "" || /^\/|\/$/.test(given)))
      throw new Error(
        `${kind}: "${given}" is no name for a layer: give it some text, with / only in between.`,
      );
    this.#kind = kind;
    this.#given = given;
  }

  /** @throws Error when another layer has the name in this graph. */
  in(graph: Graph, scope?: string): string {
    const owners = OWNERS.get(graph) ?? new Map<string, LayerName>();
    OWNERS.set(graph, owners);
    this.#name ??= this.#first(owners, scope === undefined ? "" : `${scope}/`);
    const owner = owners.get(this.#name);
    if (owner && owner !== this) {
      throw new Error(
        `Two layers of the graph are called "${this.#name}" and would share their variables: give one of them another ` +
          `\`name\`, or apply one layer twice to share them.`,
      );
    }
    owners.set(this.#name, this);
    return this.#name;
  }

  #first(owners: ReadonlyMap<string, LayerName>, prefix: string): string {
    if (this.#given !== undefined) return prefix + this.#given;
    const first = prefix + this.#kind;
    let name = first;
    for (let number = 1; owners.has(name); number++) name = `${first}_${number}`;
    return name;
  }
}

/** @throws Error when `value` is no whole number from 1. */
export function checkCount(kind: string, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${kind}: ${what} must be a whole number from 1, not ${value}.`);
}
