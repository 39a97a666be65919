import { describe, expect, it } from "vitest";
import { Graph, storageOf, variableParts } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { denseNet121 } from "../../../src/layers/networks/densenet.ts";
import { LayerList } from "../../../src/layers/networks/layer-list.ts";
import { INPUT } from "../../../src/layers/networks/layer.ts";
import type { LayerPart } from "../../../src/layers/networks/layer.ts";
import { unetLayers } from "../../../src/layers/networks/unet.ts";
import { LayerVariables } from "../../../src/layers/networks/variables.ts";

const layers = unetLayers({ classes: 5, encoder: denseNet121, decoder: "transpose" });

function variablesOf(trainable: (part: LayerPart) => boolean): Graph {
  const graph = new Graph();
  new LayerVariables(graph, layers, trainable);
  return graph;
}

/** Each variable with its parts, their shapes and where they begin. */
const placesIn = (graph: Graph): unknown[] =>
  [...graph.variables.values()].map((tensor) => [
    ...[tensor.name, tensor.shape, tensor.variable!.begins],
    variableParts(tensor).map(({ name, shape }) => [name, shape]),
  ]);

describe("the variables of a network", () => {
  it("are those of the list, by their names and shapes", () => {
    const found = [...variablesOf(() => true).variables.values()].flatMap(variableParts);
    const listed = layers.flatMap(({ weights }) => weights);
    const sorted = (all: readonly { name: string; shape: readonly number[] }[]): string[] =>
      all.map(({ name, shape }) => `${name} [${shape.join()}]`).sort();
    expect(sorted(found)).toEqual(sorted(listed));
  });

  it("lie in the same stacks whatever is learned", () => {
    const all = placesIn(variablesOf(() => true));
    expect(placesIn(variablesOf(() => false))).toEqual(all);
    expect(placesIn(variablesOf((part) => part !== "encoder"))).toEqual(all);
    // Of each group kernels, biases and the four vectors of its norms, not a variable a layer.
    expect(all.length).toBeLessThan(20);
    const roles = (graph: Graph): unknown =>
      Object.fromEntries(
        [...graph.variables.values()]
          .filter(({ variable }) => variable!.role !== "state")
          .map(({ variable }) => [variable!.group, variable!.role]),
      );
    expect(roles(variablesOf((part) => part !== "encoder"))).toEqual({
      encoder: "frozen",
      decoder: "parameter",
      head: "parameter",
    });
  });

  it("have the four vectors of every norm at the same place of their stacks", () => {
    const graph = variablesOf(() => true);
    const placeOf = (name: string): [number, number] => {
      for (const { variable, shape } of graph.variables.values()) {
        const index = variable!.parts.findIndex((each) => each.name === name);
        if (index >= 0) return [variable!.begins[index], shape[0]];
      }
      throw new Error(`There is no ${name}.`);
    };
    const norms = layers.filter(({ operation }) => operation.kind === "BatchNormalization");
    expect(norms.length).toBeGreaterThan(121);
    for (const { name } of norms) {
      const place = placeOf(`${name}/gamma`);
      for (const role of ["beta", "moving_mean", "moving_variance"])
        expect(placeOf(`${name}/${role}`), `${name}/${role}`).toEqual(place);
    }
  });

  it("have instead of a norm's missing γ ones that are no variable, laid out as β is", () => {
    const list = new LayerList();
    const norm = { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.99, scale: false } as const;
    const conv = (name: string, input: string, filters: number): string =>
      list.add(
        name,
        { kind: "Conv2D", filters, kernelSize: [1, 1], strides: 1, padding: "same", useBias: false },
        input,
      );
    let x = conv("first", INPUT, 12);
    x = list.add("first_bn", norm, x);
    list.add("second_bn", norm, conv("second", x, 8));
    const graph = new Graph();
    const variables = new LayerVariables(graph, list.layers, () => true);
    const names = [...graph.variables.values()].flatMap(variableParts).map(({ name }) => name);
    expect(names.filter((name) => name.includes("gamma"))).toEqual([]);
    const bns = list.layers.filter(({ operation }) => operation.kind === "BatchNormalization");
    const gammas = bns.map((layer) => variables.of(layer, "gamma"));
    expect(gammas.map(({ shape }) => shape)).toEqual([[12], [8]]);
    const [constant, ...others] = new Set(gammas.map(storageOf));
    expect(others).toEqual([]);
    expect(constant.node!.op.constant).toBe(1);
    expect(constant.variable).toBeNull();
    bns.forEach((layer, i) => {
      const beta = variables.of(layer, "beta");
      const begin = ({ node }: Tensor): number | undefined => node?.op.begin;
      expect(begin(gammas[i])).toBe(begin(beta));
      expect(storageOf(beta).shape).toEqual(constant.shape);
    });
    expect(() => variables.of(list.layers[0], "bias")).toThrow('The layer "first" has no bias.');
  });
});
