import { describe, expect, it } from "vitest";
import { Graph, variableParts } from "../../../src/graph/graph.ts";
import { unet } from "../../../src/layers/unet.ts";
import { denseNet121 } from "../../../src/layers/networks/densenet.ts";
import { ENCODERS } from "../../../src/layers/networks/encoders.ts";
import { smallestSide } from "../../../src/layers/networks/image-size.ts";
import { DECODERS } from "../../../src/layers/networks/decoder.ts";
import { INPUT } from "../../../src/layers/networks/layer.ts";
import { sizesOf } from "../../../src/layers/networks/sizes.ts";
import { skipsOf, unetLayers } from "../../../src/layers/networks/unet.ts";

const networks = ENCODERS.flatMap((encoder) =>
  DECODERS.map((decoder) => ({ name: encoder.name, encoder, decoder })),
);

describe.each(networks)("the layers of the U-Net on $name, decoder $decoder", ({ encoder, decoder }) => {
  const layers = unetLayers({ classes: 59, encoder, decoder });
  const side = smallestSide(encoder);

  it("have the weights of the network, name by name, shape by shape and group by group", () => {
    const graph = new Graph();
    unet(graph.input("image", [1, side, side, 3]), {
      ...{ classes: 59, training: true, trainableEncoder: true, encoder, decoder },
      dropout: { seed: 0, step: graph.input("step", [], "u32") },
    });
    const ours = [...graph.variables.values()].flatMap((tensor) =>
      variableParts(tensor).map((part) => ({ ...part, group: tensor.variable!.group })),
    );
    const listed = layers.flatMap(({ part, weights }) =>
      weights.map((weight) => ({
        ...weight,
        group: part === "encoder" || part === "head" ? part : "decoder",
      })),
    );
    const sorted = (weights: readonly { name: string; shape: readonly number[]; group: string | null }[]) =>
      weights.map(({ name, shape, group }) => `${name} [${shape.join()}] ${group}`).sort();
    expect(sorted(ours)).toEqual(sorted(listed));
  });

  it("are named once, after everything they read, and end at the size of the photo", () => {
    const sizes = sizesOf(layers, [side, side]);
    const known = new Set([INPUT]);
    for (const { name, inputs, operation } of layers) {
      expect(known.has(name), name).toBe(false);
      expect(inputs.filter((input) => !known.has(input))).toEqual([]);
      if (operation.kind === "Concatenate" || operation.kind === "Add")
        expect(new Set(inputs.map((input) => sizes.get(input)!.join())).size, name).toBe(1);
      known.add(name);
    }
    expect(layers.at(-1)).toMatchObject({ channels: 59, stride: 1, part: "head" });
    expect(sizes.get("head")).toEqual([side, side]);
  });
});

describe("skipsOf", () => {
  it("are DenseNet121's taps themselves", () => {
    const skips = skipsOf(denseNet121).map(({ name, tap, stride, channels }) => [
      name,
      tap,
      stride,
      channels,
    ]);
    expect(skips).toEqual([
      ["conv1/relu", "conv1/relu", 2, 64],
      ["pool2_relu", "pool2_relu", 4, 256],
      ["pool3_relu", "pool3_relu", 8, 512],
      ["pool4_relu", "pool4_relu", 16, 1024],
      ["relu", "relu", 32, 1024],
    ]);
  });
});
