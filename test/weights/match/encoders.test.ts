import { describe, expect, test } from "vitest";
import type { Encoder } from "../../../src/layers/networks/encoder.ts";
import { ENCODERS } from "../../../src/layers/networks/encoders.ts";
import type { Layer, LayerWeight } from "../../../src/layers/networks/layer.ts";
import { skipLayers, unetLayers } from "../../../src/layers/networks/unet.ts";
import { kerasOrder } from "../../../src/weights/keras-order.ts";
import { matchWeights } from "../../../src/weights/match/match.ts";
import { WeightsError } from "../../../src/weights/weights-error.ts";
import { emptyTensors } from "../keras-models.ts";

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

describe.each(ENCODERS.map((encoder) => [encoder.name, encoder] as const))("%s", (_, encoder) => {
  const layers = encoder.layers();
  const last = [layers.at(-1)!.name];
  const whole = ordered(layers, last);

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
