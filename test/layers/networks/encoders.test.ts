import { describe, expect, it } from "vitest";
import { ENCODERS, encoderNamed } from "../../../src/layers/networks/encoders.ts";
import { INPUT } from "../../../src/layers/networks/layer.ts";
import { sizesOf } from "../../../src/layers/networks/sizes.ts";
import { skipLayers, skipsOf } from "../../../src/layers/networks/unet.ts";
import { sizeOf } from "../../../src/graph/shape.ts";

/** What `keras.applications` counts with and without the top. */
const PARAMETERS: Record<string, { noTop: number; withTop: number }> = {
  densenet121: { noTop: 7_037_504, withTop: 8_062_504 },
  densenet169: { noTop: 12_642_880, withTop: 14_307_880 },
  densenet201: { noTop: 18_321_984, withTop: 20_242_984 },
};

describe.each(ENCODERS.map((encoder) => [encoder.name, encoder] as const))("%s", (name, encoder) => {
  const layers = encoder.layers();
  const top = encoder.top();
  const parameters = (some: typeof layers): number =>
    some.flatMap(({ weights }) => weights).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

  it("has as many parameters as Keras's", () => {
    expect({ noTop: parameters(layers), withTop: parameters([...layers, ...top]) }).toEqual(PARAMETERS[name]);
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
