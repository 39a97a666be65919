import { describe, expect, it } from "vitest";
import { Graph, variableParts } from "../../../src/graph/graph.ts";
import { SKIPS, unet } from "../../../src/layers/unet.ts";
import { DEFAULT_ENCODER } from "../../../src/layers/networks/encoders.ts";
import { INPUT } from "../../../src/layers/networks/layer.ts";
import { unetLayers } from "../../../src/layers/networks/unet.ts";

describe.each(["transpose", "nearest"] as const)("the list of layers, decoder %s", (decoder) => {
  const layers = unetLayers({ classes: 59, decoder });

  it("has the weights of the network, name by name and shape by shape", () => {
    const graph = new Graph();
    unet(graph.input("image", [1, 64, 64, 3]), {
      ...{ classes: 59, training: true, trainableEncoder: true, decoder },
    });
    const ours = [...graph.variables.values()].flatMap((variable) => variableParts(variable));
    const sorted = (weights: readonly { name: string; shape: readonly number[] }[]): string[] =>
      weights.map(({ name, shape }) => `${name} [${shape.join()}]`).sort();
    const listed = layers.flatMap(({ weights }) => weights);
    expect(listed).toHaveLength(626);
    expect(sorted(listed)).toEqual(sorted(ours));
  });

  it("names each layer once, after everything it reads, and ends at the size of the photo", () => {
    const known = new Map([[INPUT, 1]]);
    for (const { name, inputs, stride } of layers) {
      expect(known.has(name), name).toBe(false);
      const strides = inputs.map((input) => known.get(input));
      expect(strides, name).not.toContain(undefined);
      expect(new Set(strides).size, name).toBe(1);
      known.set(name, stride);
    }
    expect(layers.at(-1)).toMatchObject({ channels: 59, stride: 1, part: "head" });
  });
});

describe("the encoder's layers", () => {
  it("are the first of the U-Net's, and its skips have the sizes of the network's", () => {
    const layers = DEFAULT_ENCODER.layers();
    expect(layers).toEqual(unetLayers({ classes: 2, decoder: "nearest" }).slice(0, layers.length));
    expect(layers.at(-1)!.name).toBe("relu");
    const skips = layers.filter(({ name }) => (DEFAULT_ENCODER.taps as readonly string[]).includes(name));
    expect(
      Object.fromEntries(skips.map(({ name, channels, stride }) => [name, { channels, stride }])),
    ).toEqual(SKIPS);
  });
});
