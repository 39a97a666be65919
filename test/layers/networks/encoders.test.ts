import { describe, expect, it } from "vitest";
import { ENCODERS, encoderNamed } from "../../../src/layers/networks/encoders.ts";
import { INPUT } from "../../../src/layers/networks/layer.ts";
import { sizesOf } from "../../../src/layers/networks/sizes.ts";
import { skipLayers, skipsOf } from "../../../src/layers/networks/unet.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { kerasOrder } from "../../../src/weights/keras-order.ts";
import { kerasFixture } from "./keras-fixture.ts";

describe.each(ENCODERS.map((encoder) => [encoder.name, encoder] as const))("%s", (_, encoder) => {
  const layers = encoder.layers();
  const top = encoder.top();
  const count = (some: typeof layers): number =>
    some.flatMap(({ weights }) => weights).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

  it("has Keras's layers with weights, in the order that follows from what they read, and the weights' shapes", async () => {
    const { weights, parameters, taps } = await kerasFixture(encoder);
    const learning = kerasOrder([...layers, ...top], [top.at(-1)!.name]).filter(
      (layer) => layer.weights.length > 0,
    );
    expect(learning.map((layer) => layer.name)).toEqual(Object.keys(weights));
    for (const layer of learning) {
      expect(layer.weights.map(({ role, shape }) => [role, shape])).toEqual(
        Object.entries(weights[layer.name]),
      );
    }
    expect({ noTop: count(layers), withTop: count([...layers, ...top]) }).toEqual(parameters);
    expect(encoder.taps).toEqual(taps);
  });

  it("names each layer once, after everything it reads", () => {
    const known = new Set([INPUT]);
    for (const layer of [...layers, ...top]) {
      expect(known.has(layer.name), layer.name).toBe(false);
      expect(layer.inputs.filter((input) => !known.has(input))).toEqual([]);
      known.add(layer.name);
    }
  });

  it("hands a decoder five images of the photo's size divided by 2 to 32", () => {
    const side = encoder.smallestImage;
    const sizes = sizesOf(skipLayers(encoder), [side, side]);
    const skips = skipsOf(encoder);
    expect(skips.map(({ stride }) => stride)).toEqual([2, 4, 8, 16, 32]);
    for (const { name, stride } of skips) expect(sizes.get(name)).toEqual([side / stride, side / stride]);
  });
});

describe("encoderNamed", () => {
  it("finds an encoder, and lists those there are for one that is not", () => {
    expect(encoderNamed("densenet169").title).toBe("DenseNet169");
    expect(() => encoderNamed("vgg16")).toThrow(
      `There is no encoder "vgg16"; there are ${ENCODERS.map(({ name }) => name).join(", ")}.`,
    );
  });
});
