import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Encoder } from "../../../src/layers/networks/encoder.ts";
import { ENCODERS } from "../../../src/layers/networks/encoders.ts";
import type { Layer, LayerWeight } from "../../../src/layers/networks/layer.ts";
import { skipLayers, unetLayers } from "../../../src/layers/networks/unet.ts";
import { kerasOrder } from "../../../src/weights/keras-order.ts";
import { matchWeights } from "../../../src/weights/match/match.ts";
import { WeightsError } from "../../../src/weights/weights-error.ts";
import { emptyTensors } from "../keras-models.ts";

/**
 * SHA-1 of `layer/role shape`, a line a weight, in the order in which Keras 2.15.0 lists them in a fresh session
 * (`model.layers` of `keras.applications`, without the top and without what normalizes photos).
 */
const OF_KERAS: Readonly<Record<string, string>> = {
  densenet121: "4cfbe834b5b139e127b770bbf907d4d0b939616e",
  densenet169: "5a4a2ec6ed56be060684c5d083ac82e74fe0ade4",
  densenet201: "532e64e0cece32e78b5eb3778e2a8e14cfe5b8d0",
  resnet50: "73fef3985ff012ee0ac0a6b45b70e7e45777391a",
  mobilenetv2: "ae22f1aa173b428325549d4e6856fd561f0981e0",
  efficientnetb0: "b6323e411861df2034effabac1f66e772b634a26",
  inceptionv3: "7dca28626b00cc395cf22920345f6198b4ff943f",
  nasnetmobile: "8a08bd5822149284e97087e8ebbf6ff1312b9284",
};

interface Weight {
  readonly name: string;
  readonly ours: string;
  readonly shape: readonly number[];
}

/** What Keras calls a layer without a name. */
const STEMS: Partial<Record<Layer["operation"]["kind"], string>> = {
  Conv2D: "conv2d",
  Conv2DTranspose: "conv2d_transpose",
  DepthwiseConv2D: "depthwise_conv2d",
  SeparableConv2D: "separable_conv2d",
  BatchNormalization: "batch_normalization",
};
const numbered = (stem: string, number: number): string => (number === 0 ? stem : `${stem}_${number}`);

/** Layers with weights as `model.layers` has them. */
const ordered = (layers: readonly Layer[], outputs: readonly string[]): Layer[] =>
  kerasOrder(layers, outputs).filter(({ weights }) => weights.length > 0);

/** As Keras 2 writes them to `.h5` after it has made another such model: what it names itself is counted on. */
function legacy(layers: readonly Layer[], within = ""): Weight[] {
  return layers.flatMap(({ name, operation, weights }) => {
    const [, number] = new RegExp(`^${STEMS[operation.kind]}(?:_(\\d+))?$`).exec(name) ?? [];
    const isAutomatic = name === STEMS[operation.kind] || number !== undefined;
    const shifted = isAutomatic ? numbered(STEMS[operation.kind]!, Number(number ?? 0) + 1000) : name;
    return weights.map((weight) => named(weight, `${within}${shifted}/${weight.role}`));
  });
}

const named = ({ name: ours, shape }: LayerWeight, name: string): Weight => ({ name, ours, shape });

/** As Keras 3 writes them to `.weights.h5`: by class and counted, sorted by that. */
function counted(layers: readonly Layer[], within = "layers"): Weight[] {
  const counts = new Map<string, number>();
  const all = layers.map(({ operation, weights }) => {
    const stem = STEMS[operation.kind]!;
    const count = counts.get(stem) ?? 0;
    counts.set(stem, count + 1);
    const path = `${within}/${numbered(stem, count)}`;
    return [stem, weights.map((weight, i) => named(weight, `${path}/vars/${i}`))] as const;
  });
  return [...counts.keys()]
    .sort()
    .flatMap((own) => all.flatMap(([stem, weights]) => (stem === own ? weights : [])));
}

function expectFound(weights: readonly Weight[], encoder: Encoder): void {
  const matched = matchWeights(emptyTensors(weights), { source: "model.h5" });
  expect(matched.encoder).toBe(encoder);
  const found = Object.fromEntries(matched.mapping.map(({ from, to }) => [from, to]));
  expect(found).toEqual(Object.fromEntries(weights.map(({ name, ours }) => [name, ours])));
  expect(matched.unused).toEqual([]);
}

describe.each(ENCODERS.map((encoder) => [encoder.name, encoder] as const))("%s", (name, encoder) => {
  const layers = encoder.layers();
  const last = [layers.at(-1)!.name];
  const whole = ordered(layers, last);

  test("has the weights of Keras, in its order", () => {
    const lines = whole.flatMap(({ weights }) =>
      weights.map((weight) => `${weight.name} ${weight.shape.join()}`),
    );
    expect(createHash("sha1").update(lines.join("\n")).digest("hex")).toBe(OF_KERAS[name]);
  });

  test("is found by names, whatever numbers Keras has counted on to, and by order where they are only counted", () => {
    expectFound(legacy(whole), encoder);
    expectFound(counted(whole), encoder);
  });

  test("is found nested in a U-Net, as far as the decoder needs it", () => {
    const decoder = unetLayers({ encoder, classes: 5, decoder: "transpose" });
    const base = ordered(
      skipLayers(encoder).filter(({ part }) => part === "encoder"),
      encoder.taps,
    );
    const rest = decoder.filter(({ part, weights }) => part !== "encoder" && weights.length > 0);
    expectFound([...legacy(base, "model/"), ...legacy(rest, "decoder/")], encoder);
    expectFound(
      [...counted(base, "layers/functional/layers"), ...counted(rest, "layers/sequential/layers")],
      encoder,
    );
  });

  test("names what is amiss", () => {
    const narrow = legacy(whole, "model/").map((weight, i) =>
      i === 0 ? { ...weight, shape: weight.shape.map((extent) => 2 * extent) } : weight,
    );
    const match = (): unknown => matchWeights(emptyTensors(narrow), { source: "model.h5" });
    expect(match).toThrow(WeightsError);
    expect(match).toThrow(`use weights of the U-Net on ${encoder.title}, or of ${encoder.title} alone.`);
  });
});
