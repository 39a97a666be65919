import { describe, expect, test } from "vitest";
import { DECODERS } from "../../src/layers/networks/decoder.ts";
import { DEFAULT_ENCODER } from "../../src/layers/networks/encoders.ts";
import type { Layer } from "../../src/layers/networks/layer.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import type { Metadata, NamedTensors } from "../../src/weights/tensors.ts";
import { WeightsError } from "../../src/weights/weights-error.ts";
import { writtenNetwork } from "../../src/weights/written-network.ts";
import { float32 } from "./arbitrary-tensors.ts";

/** Weights of the right shapes, all zero; they share their memory. */
function zeros(layers: readonly Layer[]): NamedTensors {
  const none = new Float32Array(3 * 3 * 512 * 1024);
  return new Map(
    layers.flatMap(({ weights }) =>
      weights.map(({ name, shape }) => {
        const data = none.subarray(0, shape.reduce((product, extent) => product * extent, 1)); // prettier-ignore
        return [name, { shape, data }] as const;
      }),
    ),
  );
}
const options = { source: "model.h5" };
const metadata = {};

describe("writtenNetwork", () => {
  test.each(DECODERS)("a U-Net, decoder %s, by its weights and what is said", (decoder) => {
    const metadata: Metadata = decoder === "bilinear" ? { decoder } : {};
    const tensors = zeros(unetLayers({ classes: 5, decoder }));
    const slots = new Map([["rmsprop_frozen/head/bias", float32([5], 0, 0, 0, 0, 0)], ...tensors]);
    const network = writtenNetwork({ tensors: slots, metadata }, options);
    expect(network.layers).toEqual(unetLayers({ classes: 5, decoder }));
    expect(network.outputs).toEqual(["head"]);
    expect([...network.weights.keys()]).toEqual([...tensors.keys()]);
    const encoder = "densenet121";
    expect(network.metadata).toEqual(decoder === "transpose" ? { encoder } : { decoder, encoder });
  });

  test("an encoder gives its five skips, and with its top the classes", () => {
    const tensors = zeros(DEFAULT_ENCODER.layers());
    expect(writtenNetwork({ tensors, metadata }, options).outputs).toEqual([
      ...["conv1/relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"],
    ]);
    tensors.set("fc1000/kernel", { shape: [1024, 2], data: new Float32Array(2048) });
    tensors.set("fc1000/bias", float32([2], 0, 0));
    const top = writtenNetwork({ tensors, metadata }, options);
    expect(top.outputs).toEqual(["fc1000"]);
    expect(top.weights.size).toBe(606);
  });

  test("what a run and other formats say of themselves stays behind", () => {
    const said = { classes: '["a"]', image_size: "64", state: "{}", format: "layers-model", backend: "x" };
    const network = writtenNetwork({ tensors: zeros(DEFAULT_ENCODER.layers()), metadata: said }, options);
    expect(network.metadata).toEqual({ classes: '["a"]', image_size: "64", encoder: "densenet121" });
    expect(network.imageSize).toEqual({ height: 64, width: 64 });
    const size = { height: 96, width: 32 };
    const other = writtenNetwork(
      { tensors: zeros(DEFAULT_ENCODER.layers()), metadata: said },
      { ...options, imageSize: size },
    );
    expect([other.imageSize, other.metadata.image_size]).toEqual([size, "96x32"]);
  });

  test.each<[string, (tensors: NamedTensors) => void, string]>([
    [
      "a weight less",
      (tensors) => tensors.delete("bn/gamma"),
      'has no tensor "bn/gamma" (expected shape [1024])',
    ],
    [
      "no classes",
      (tensors) => tensors.delete("head/bias"),
      'has no tensor "head/bias", whose length is the number',
    ],
    [
      "a transposed weight",
      (tensors) => tensors.set("head/kernel", { shape: [3, 3, 128, 5], data: new Float32Array(5760) }),
      '"head/kernel" has shape [3, 3, 128, 5] where [3, 3, 5, 128] is expected',
    ],
  ])("%s is one sentence", (_, change, why) => {
    const tensors = zeros(unetLayers({ classes: 5, decoder: "transpose" }));
    change(tensors);
    const write = (): unknown => writtenNetwork({ tensors, metadata }, options);
    expect(write).toThrow(WeightsError);
    expect(write).toThrow(`The weights file model.h5`);
    expect(write).toThrow(why);
  });

  test.each(["31", "100", "0", "-32", "64.5", "big"])("an image size of %s is refused", (size) => {
    const model = { tensors: zeros(DEFAULT_ENCODER.layers()), metadata: { image_size: size } };
    expect(() => writtenNetwork(model, options)).toThrow(`The image size of model.h5 is ${size}`);
  });

  test("so is one that it is given", () => {
    const model = { tensors: zeros(DEFAULT_ENCODER.layers()), metadata: { image_size: "64" } };
    expect(() => writtenNetwork(model, { ...options, imageSize: 100 })).toThrow(
      "The image size that model.h5 is given is 100, but",
    );
  });
});
