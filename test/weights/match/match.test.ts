import { describe, expect, test } from "vitest";
import { unetLayers } from "../../../src/layers/networks/unet.ts";
import { matchWeights, type MatchedWeights } from "../../../src/weights/match/match.ts";
import { kerasWeightName } from "../../../src/weights/tensors.ts";
import { WeightsError } from "../../../src/weights/weights-error.ts";
import { kerasConfig } from "../keras-configs.ts";
import {
  countedWeights,
  emptyTensors,
  legacyWeights,
  scriptLayers,
  type KerasVersion,
} from "../keras-models.ts";

type Weight = { name: string; ours: string; shape: readonly number[] };

const source = "unet.h5";
const LEGACY = scriptLayers(2);
const KERAS3 = scriptLayers(3);

/** As the reader of `.h5` files gives them. */
const read = (
  weights: readonly { group: string; name: string; ours: string; shape: readonly number[] }[],
): Weight[] =>
  weights.map(({ group, name, ...rest }) => ({ ...rest, name: kerasWeightName(`${group}/${name}`) }));

const match = (weights: readonly Weight[], config?: unknown): MatchedWeights =>
  matchWeights(emptyTensors(weights), { source, config });

function expectWhole(matched: MatchedWeights, weights: readonly Weight[]): void {
  const truth = new Map(weights.map(({ name, ours }) => [name, ours]));
  expect(Object.fromEntries(matched.mapping.map(({ from, to }) => [from, to]))).toEqual(
    Object.fromEntries(truth),
  );
  expect(matched.missing).toEqual([]);
  expect(matched.unused).toEqual([]);
  expect(matched.tensors.size).toBe(626);
}

const alphabetical = (weights: readonly Weight[]): Weight[] =>
  [...weights].sort((a, b) => (a.name < b.name ? -1 : 1));

describe("a U-Net of the tutorial's script, by names, order and shapes", () => {
  const flat = (layers: typeof LEGACY) =>
    layers.map((layer) =>
      layer.layer.part === "encoder" ? { ...layer, outer: layer.inner!, inner: null } : layer,
    );
  test.each<[string, Weight[]]>([
    ["Keras 2, trained as a whole", read(legacyWeights(LEGACY))],
    ["Keras 2, the encoder frozen", read(legacyWeights(LEGACY, { frozen: true }))],
    ["Keras 2, Sequentials without their own name", read(legacyWeights(LEGACY, { scoped: false }))],
    ["Keras 2, nested layers without their names", read(legacyWeights(LEGACY, { anonymous: true }))],
    ["the same, frozen", read(legacyWeights(LEGACY, { anonymous: true, frozen: true }))],
    ["Keras 3's .h5", read(legacyWeights(KERAS3, { version: 3 }))],
    ["the encoder's layers among the others", read(legacyWeights(flat(LEGACY)))],
    ["a tfjs model of Keras 2's, in the order of names", alphabetical(read(legacyWeights(LEGACY)))],
    ["Keras 3's .weights.h5", countedWeights(KERAS3)],
    ["the same with the encoder's layers among the others", countedWeights(flat(KERAS3))],
  ])("%s", (_, weights) => {
    const matched = match(weights);
    expectWhole(matched, weights);
    expect(matched.decoder).toBe("transpose");
  });

  test("the decoder of repeated pixels, and any number of classes", () => {
    for (const classes of [1, 32, 57, 128]) {
      const layers = scriptLayers(2, { classes, decoder: "nearest" });
      const weights = read(legacyWeights(layers, { anonymous: true }));
      const matched = match(weights);
      expectWhole(matched, weights);
      expect(matched.decoder).toBe("nearest");
      expect(matched.tensors.get("head/bias")!.shape).toEqual([classes]);
    }
  });

  test("weights of repeated pixels are those of bilinear upsampling too, unless the file says which", () => {
    const layers = scriptLayers(2, { classes: 3, decoder: "bilinear" });
    const tensors = emptyTensors(read(legacyWeights(layers)));
    const found = (about: { decoder?: string; config?: unknown }) => {
      const { decoder, otherDecoder } = matchWeights(tensors, { source, ...about });
      return [decoder, otherDecoder];
    };
    expect(found({})).toEqual(["nearest", "bilinear"]);
    expect(found({ decoder: "bilinear" })).toEqual(["bilinear", undefined]);
    expect(found({ decoder: "nearest" })).toEqual(["nearest", undefined]);
    expect(found({ config: kerasConfig(layers, 2) })).toEqual(["bilinear", undefined]);
    const repeated = scriptLayers(2, { classes: 3, decoder: "nearest" });
    expect(found({ config: kerasConfig(repeated, 2) })).toEqual(["nearest", undefined]);
    const bicubic = JSON.stringify(kerasConfig(layers, 2)).replaceAll('"bilinear"', '"bicubic"');
    expect(() => found({ config: JSON.parse(bicubic) as unknown })).toThrow(
      'up_sampling2d" has another interpolation than',
    );
  });

  test("the layers of a model tell which decoder it has where its names are ours", () => {
    const ours = unetLayers({ classes: 3, decoder: "bilinear" }).flatMap(({ weights }) => weights);
    const config = kerasConfig(scriptLayers(2, { classes: 3, decoder: "bilinear" }), 2);
    expect(matchWeights(emptyTensors(ours), { source, config }).decoder).toBe("bilinear");
    expect(matchWeights(emptyTensors(ours), { source }).otherDecoder).toBe("bilinear");
  });

  test("an encoder with DenseNet121's top, whatever it is called", () => {
    const weights = read(legacyWeights(LEGACY)).filter(({ ours }) => !/^(upsample|head)/.test(ours));
    const top = (kernel: number[], bias: number[]): Weight[] => [
      { name: "predictions/kernel", ours: "fc1000/kernel", shape: kernel },
      { name: "predictions/bias", ours: "fc1000/bias", shape: bias },
    ];
    const matched = match([...weights, ...top([1024, 7], [7])]);
    expect(matched.tensors.get("fc1000/kernel")!.shape).toEqual([1024, 7]);
    expect(matched.tensors.size).toBe(606);
    expect(matched.unused).toEqual([]);
    expect(matched.mapping.at(-1)).toEqual({
      from: "predictions/bias",
      to: "fc1000/bias",
      shape: [7],
      change: "renamed",
    });
    const another: Weight = { name: "hidden/kernel", ours: "", shape: [1024, 1024] };
    const hidden = [another, { name: "hidden/bias", ours: "", shape: [1024] }];
    for (const other of [top([512, 7], [7]), top([1024, 7], [8]), [...hidden, ...top([1024, 7], [7])]]) {
      const { tensors, unused } = match([...weights, ...other]);
      expect(tensors.size).toBe(604);
      expect(unused).toEqual(other.map(({ name }) => name));
    }
  });

  test("an encoder alone, with a top that is not used", () => {
    const weights = read(legacyWeights(LEGACY)).filter(({ ours }) => !/^(upsample|head)/.test(ours));
    const top = { name: "dense/kernel", ours: "", shape: [1024, 1000] };
    const matched = match([...weights, top]);
    expect(matched.tensors.size).toBe(604);
    expect(matched.missing).toHaveLength(22);
    expect(matched.unused).toEqual(["dense/kernel"]);
    expect(matched.decoder).toBeUndefined();
  });
});

describe("what is left as it is", () => {
  test("our own names, an optimizer's slots included", () => {
    const ours = unetLayers({ classes: 3, decoder: "nearest" }).flatMap(({ weights }) => weights);
    const tensors = emptyTensors([...ours, { name: "head/kernel/rmsprop_frozen/v", shape: [3] }]);
    const matched = matchWeights(tensors, { source });
    expect(matched.tensors).toBe(tensors);
    expect(matched.mapping.every(({ from, to, change }) => from === to && change === "kept")).toBe(true);
    expect(matched).toMatchObject({
      missing: [],
      unused: ["head/kernel/rmsprop_frozen/v"],
      decoder: "nearest",
    });
  });

  test("but not the U-Net of somebody who calls the last layer as we do", () => {
    const weights = read(legacyWeights(LEGACY)).map((weight) => ({
      ...weight,
      name: weight.ours.startsWith("head/") ? weight.ours : weight.name,
    }));
    expectWhole(match(weights), weights);
  });

  test("another network without a configuration", () => {
    const tensors = emptyTensors([{ name: "conv/kernel", shape: [3, 3, 3, 8] }]);
    expect(matchWeights(tensors, { source })).toEqual({
      tensors,
      mapping: [],
      missing: [],
      unused: ["conv/kernel"],
    });
  });
});

describe("what does not fit is named", () => {
  const weights = read(legacyWeights(LEGACY));
  const changed = (ours: string, shape?: number[]): Weight[] =>
    weights.flatMap((weight) =>
      weight.ours !== ours ? [weight] : shape === undefined ? [] : [{ ...weight, shape }],
    );
  test.each<[string, Weight[], string]>([
    [
      "other filters in the decoder",
      changed("upsample_2/conv2d_transpose/kernel", [3, 3, 128, 1536]),
      'it has no layer like "upsample_2/conv2d_transpose" with a kernel of shape [3, 3, 256, 1536] ' +
        '(its "sequential_1/conv2d_transpose_1" has [3, 3, 128, 1536]);',
    ],
    [
      "a layer of another network",
      changed("conv3_block2_1_conv/kernel", [1, 1, 160, 96]),
      'its layer "model/conv3_block2_1_conv" has a kernel of shape [1, 1, 160, 96] where [1, 1, 160, 128] is expected',
    ],
    ["a missing layer", changed("pool3_conv/kernel"), 'it has no layer "pool3_conv"'],
    ["a missing weight", changed("bn/gamma"), 'its layer "model/bn" has no gamma, and "bn" has one'],
    ["a head without a bias", changed("head/bias"), 'it has no layer like "head" with a bias'],
    [
      "a layer too many",
      [...weights, { name: "extra/kernel", ours: "", shape: [5, 5, 7, 7] }],
      'its layer "extra" is none of the U-Net\'s',
    ],
    [
      "photos that are normalized",
      [...weights, { name: "normalization_1/mean", ours: "", shape: [3] }],
      'prepares its photos itself, by its layer "normalization_1" ("Normalization")',
    ],
    [
      "two heads",
      [
        ...weights,
        { name: "twin/kernel", ours: "", shape: [3, 3, 3, 128] },
        { name: "twin/bias", ours: "", shape: [3] },
      ],
      'its layers "conv2d_transpose_4" and "twin" could both be "head"',
    ],
    [
      "two encoders",
      [...weights, { name: "other/conv1/conv/kernel", ours: "", shape: [7, 7, 3, 64] }],
      'it has two layers that are called "conv1/conv"',
    ],
  ])("%s", (_, weights, why) => {
    expect(() => match(weights)).toThrow(WeightsError);
    expect(() => match(weights)).toThrow(why);
  });

  test("and the others are counted, without names too", () => {
    const anonymous = read(legacyWeights(LEGACY, { anonymous: true }));
    const narrow = anonymous.map((weight) =>
      /^conv4/.test(weight.ours) ? { ...weight, shape: weight.shape.map((extent) => extent * 2) } : weight,
    );
    expect(() => match(narrow)).toThrow(
      /^The weights file unet\.h5 does not fit: its layer "model\/layer_\d+" has a gamma of shape.+, and 95 more of its layers do not fit; use/,
    );
    const short = anonymous.filter(({ ours }) => !/^(conv5|upsample|head)/.test(ours));
    expect(() => match(short)).toThrow("it has 88 convolutions and the encoder alone has 120");
  });
});

describe("a configuration", () => {
  const versions: [KerasVersion, typeof LEGACY, Weight[]][] = [
    [2, LEGACY, read(legacyWeights(LEGACY))],
    [3, KERAS3, countedWeights(KERAS3)],
  ];
  test.each(versions)(
    "of Keras %i tells which layer is which, in whatever order they are",
    (version, layers, weights) => {
      const shuffled = [...weights].reverse();
      expectWhole(match(shuffled, kerasConfig(layers, version)), weights);
      // Where the names are others than in the configuration, order and shapes decide.
      const renamed = weights.map((weight) => ({ ...weight, name: `unet/${weight.name}` }));
      if (version === 2) expectWhole(match(renamed, kerasConfig(layers, version)), renamed);
    },
  );

  test.each<[string, (json: string) => string, string]>([
    [
      "skips joined the other way round",
      (json) =>
        json.replace('[["sequential",0,0,{}],["model",0,3,{}]]', '[["model",0,3,{}],["sequential",0,0,{}]]'),
      'it has no Concatenate in the place of "concatenate_1", which reads "upsample_1/relu" and "pool4_relu"',
    ],
    [
      "another skip",
      (json) => json.replace('["pool4_relu",0,0],["relu"', '["pool3_relu",0,0],["relu"'),
      'it has no Concatenate in the place of "concatenate_1"',
    ],
    [
      "another activation",
      (json) => json.replace('"activation":"relu"', '"activation":"tanh"'),
      'its layer "model/conv1/relu" has another activation than "conv1/relu"',
    ],
    [
      "other strides",
      (json) => json.replace('"strides":[2,2]', '"strides":[1,1]'),
      'its layer "model/conv1/conv" has another strides than "conv1/conv"',
    ],
    [
      "a layer before the encoder",
      (json) => json.replace('"class_name":"ZeroPadding2D"', '"class_name":"Flatten"'),
      'it has no ZeroPadding2D in the place of "zero_padding2d_1", which reads "image"',
    ],
    [
      "photos that are scaled",
      (json) => json.replace('"class_name":"ZeroPadding2D"', '"class_name":"Rescaling"'),
      'unet.h5 prepares its photos itself, by its layer "model/zero_padding2d_1" ("Rescaling"), which is done here before',
    ],
    [
      "photos that are divided",
      (json) => json.replace('"class_name":"ZeroPadding2D"', '"class_name":"TFOpLambda"'),
      'by its layer "model/zero_padding2d_1" ("TFOpLambda")',
    ],
    [
      "a layer that is used twice",
      (json) =>
        json.replace('[[["conv1/conv",0,0,{}]]]', '[[["conv1/conv",0,0,{}]],[["conv1/conv",0,0,{}]]]'),
      'its layer "conv1/bn" is used 2 times',
    ],
    [
      "layers that lead nowhere",
      (json) => json.replace('["conv1/conv",0,0,{}]', '["conv9",0,0,{}]'),
      "reads what is not there",
    ],
  ])("with %s is refused", (_, change, why) => {
    const json = JSON.stringify(kerasConfig(LEGACY, 2));
    expect(change(json)).not.toBe(json);
    expect(() => match(versions[0][2], JSON.parse(change(json)))).toThrow(WeightsError);
    expect(() => match(versions[0][2], JSON.parse(change(json)))).toThrow(why);
  });

  /** The U-Net's configuration with one more layer, which reads the head, for its output. */
  const withLast = (layer: object): unknown => {
    const json = kerasConfig(LEGACY, 2) as { config: { layers: object[]; output_layers: unknown } };
    const [head] = json.config.output_layers as [string, number, number][];
    json.config.layers.push({ ...layer, name: "last", inbound_nodes: [[[...head, {}]]] });
    json.config.output_layers = [["last", 0, 0]];
    return json;
  };

  test("that goes on behind the head is refused, unless it makes probabilities of the logits", () => {
    const [, , weights] = versions[0];
    const conv = { class_name: "Conv2D", config: { filters: 5, kernel_size: [1, 1] } };
    expect(() => match(weights, withLast(conv))).toThrow(
      'its output is made by its layer "last" where the U-Net ends with "conv2d_transpose_4"',
    );
    const config = { activation: "softmax" };
    for (const layer of [
      { class_name: "Softmax", config: {} },
      { class_name: "Activation", config },
    ]) {
      expectWhole(match(weights, withLast(layer)), weights);
    }
    const two = kerasConfig(LEGACY, 2) as { config: { output_layers: unknown[] } };
    two.config.output_layers.push(["model", 0, 4]);
    expect(() => match(weights, two)).toThrow("it has 2 outputs where the U-Net has one");
  });

  test("of another network is refused", () => {
    const config = { class_name: "Sequential", config: { layers: [{ class_name: "Flatten", config: {} }] } };
    const tensors = [{ name: "dense/kernel", ours: "", shape: [3, 3, 3, 3] }];
    expect(() => match(tensors, config)).toThrow(/does not fit: it has no ZeroPadding2D .* use weights of/);
  });

  test("that tells no layers is passed over", () => {
    for (const config of [null, [], 3, {}, { class_name: "MyModel", config: {} }, { class_name: "x" }]) {
      expectWhole(match(versions[0][2], config), versions[0][2]);
    }
  });

  test("that ends with a sigmoid of one output is refused for that", () => {
    const layers = scriptLayers(2, { classes: 1, decoder: "transpose" });
    const json = JSON.stringify(kerasConfig(layers, 2));
    const weights = read(legacyWeights(layers));
    for (const activation of ["linear", "sigmoid"]) {
      const changed = json.replace(/("filters":1,.*?"activation":)"linear"/, `$1"${activation}"`);
      expect(changed.includes("sigmoid")).toBe(activation === "sigmoid");
      const config: unknown = JSON.parse(changed);
      expect(() => match(weights, config)).toThrow("unet.h5 has one output for each pixel");
    }
  });

  test("with another ε is folded into γ, dropout and augmentation are looked through", () => {
    const json = JSON.stringify(kerasConfig(LEGACY, 2))
      .replace('"epsilon":0.001,', '"epsilon":0.5,')
      .replace(
        '{"class_name":"ReLU"',
        '{"class_name":"Dropout","config":{"name":"drop","rate":0.5}},{"class_name":"RandomFlip","config":{}},{"class_name":"ReLU"',
      );
    const tensors = emptyTensors(versions[0][2]);
    const vector = (...values: number[]) => ({
      shape: [512],
      data: Float32Array.from({ length: 512 }, (_, i) => values[i % values.length]),
    });
    tensors.set("sequential/batch_normalization/gamma", vector(1, -2));
    tensors.set("sequential/batch_normalization/moving_variance", vector(0.5, 0));
    const matched = matchWeights(tensors, { source, config: JSON.parse(json) });
    const gamma = matched.tensors.get("upsample_1/batch_normalization/gamma")!;
    expect([...gamma.data.slice(0, 2)]).toEqual([
      Math.fround(Math.sqrt(0.501)),
      Math.fround(-2 * Math.sqrt(0.002)),
    ]);
    expect(matched.mapping.filter(({ change }) => change === "folded").map(({ to }) => to)).toEqual([
      "upsample_1/batch_normalization/gamma",
    ]);
  });
});
