/**
 * @file The variables of a network, in stacks: all kernels of its encoder lie in one, all its γ in another. What treats many
 * variables alike, an optimizer, moving statistics, batch norms in their planes, takes a stack in one go.
 */
import type { Graph, Tensor, VariablePart } from "../../graph/graph.ts";
import { fill } from "../../graph/ops/fill.ts";
import { part as partOf, partAt } from "../../graph/ops/part.ts";
import { groupOf, initializerOf } from "./parts.ts";
import type { Layer, LayerPart, LayerWeight, WeightRole } from "./layer.ts";

const isState = (role: WeightRole): boolean => role.startsWith("moving");

/** A stack in the making. */
interface Draft {
  readonly name: string;
  readonly layers: readonly Layer[];
}

export class LayerVariables {
  readonly #variables = new Map<string, Tensor>();

  /**
   * Makes the variables of `layers`. Programs that share variables must have them in the same stacks, so it does not matter to
   * these what is learned.
   *
   * @param trainable whether the layers of a part are learned
   */
  constructor(graph: Graph, layers: readonly Layer[], trainable: (part: LayerPart) => boolean) {
    const readBy = new Map(layers.map((layer) => [layer.name, layer]));
    for (const group of new Set(layers.map(({ part }) => groupOf(part)))) {
      const own = layers.filter(({ part, weights }) => groupOf(part) === group && weights.length > 0);
      const ordinary = own.filter(({ operation }) => operation.kind !== "BatchNormalization");
      const kernels = sorted(ordinary, ({ weights: [kernel], stride }) => [stride, ...outerShape(kernel)]);
      for (const role of ["kernel", "depthwise_kernel", "pointwise_kernel", "bias"] as const)
        this.#stack(graph, { name: `${group ?? "network"}/${role}`, layers: kernels }, role, trainable);

      // Of a dense block the norms of what grows lie next to each other, and so do those of what does not.
      const grows = ({ inputs: [input] }: Layer): number =>
        readBy.get(input)?.operation.kind === "Conv2D" ? 1 : 0;
      const norms = new Map<string, Layer[]>();
      for (const layer of sorted(own, (each) => [each.stride, grows(each)])) {
        const { operation } = layer;
        if (operation.kind !== "BatchNormalization") continue;
        const key = `${operation.epsilon}${operation.scale ? "" : " without gamma"}`;
        norms.set(key, [...(norms.get(key) ?? []), layer]);
      }
      for (const [key, ofKind] of norms)
        this.#norms(graph, { name: `${group ?? "network"}/norm ${key}`, layers: ofKind }, trainable);
    }
  }

  /**
   * A layer's variable, or of a norm without γ the constant instead.
   *
   * @throws Error when there is none
   */
  of({ name }: Layer, role: WeightRole): Tensor {
    const variable = this.#variables.get(`${name}/${role}`);
    if (!variable) throw new Error(`The layer "${name}" has no ${role}.`);
    return variable;
  }

  #norms(graph: Graph, draft: Draft, trainable: (part: LayerPart) => boolean): void {
    const stacks = (["beta", "gamma", "moving_mean", "moving_variance"] as const).map((role) =>
      this.#stack(graph, { ...draft, name: `${draft.name}/${role}` }, role, trainable),
    );
    const [beta, gamma] = stacks;
    if (gamma) return;
    // Laid out as β is, so that the norms can be folded together.
    const constant = fill(graph, beta!.shape, 1);
    draft.layers.forEach((layer, i) => {
      const one = partAt(constant, beta!.variable!.begins[i], [layer.channels]);
      this.#variables.set(`${layer.name}/gamma`, one);
    });
  }

  #stack(
    graph: Graph,
    { name, layers }: Draft,
    role: WeightRole,
    trainable: (part: LayerPart) => boolean,
  ): Tensor | null {
    const owners = layers.filter(({ weights }) => weights.some((weight) => weight.role === role));
    if (owners.length === 0) return null;
    const parts = owners.map(({ weights, part }): VariablePart => {
      const { name, shape } = weights.find((weight) => weight.role === role)!;
      return { name, shape, initializer: initializerOf(part, role) };
    });
    const [{ part }] = owners;
    const options = { group: groupOf(part), trainable: trainable(part) };
    const stack = isState(role)
      ? graph.stackedState(name, parts, options)
      : graph.stackedParameter(name, parts, options);
    for (const each of parts) this.#variables.set(each.name, partOf(stack, each.name));
    return stack;
  }
}

/** All but the input channels, so that kernels that may run together lie next to each other. */
const outerShape = ({ shape, role }: LayerWeight): number[] =>
  role === "kernel" && shape.length === 4 ? [shape[0], shape[1], shape[3]] : [0, 0, 0];

/** In the order of `key`, and of the list where that is the same. */
function sorted(layers: readonly Layer[], key: (layer: Layer) => readonly number[]): Layer[] {
  const keyed = layers.map((layer) => ({ layer, key: key(layer) }));
  const compare = (a: readonly number[], b: readonly number[]): number => {
    const different = a.findIndex((value, i) => value !== b[i]);
    return different < 0 ? 0 : a[different] - b[different];
  };
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ layer }) => layer);
}
