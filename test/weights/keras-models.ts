/**
 * @file Models as Keras writes them, made from the list of our layers: names, order, files and configurations of the
 * tutorial's script (a nested DenseNet121, Sequentials of pix2pix, a transposed convolution for a head).
 */
import { File, type Group } from "h5wasm/node";
import type { Layer, LayerKind } from "../../src/layers/networks/layer.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import type { UnetLayersOptions } from "../../src/layers/networks/unet.ts";
import type { HostTensor, NamedTensors } from "../../src/weights/tensors.ts";

export type KerasVersion = 2 | 3;

/** A layer of ours and what the tutorial's script has Keras call it. */
export interface ScriptLayer {
  readonly layer: Layer;
  /** The layer of the whole model that it is or lies in. */
  readonly outer: string;
  /** Its name in there; null where it is that layer. */
  readonly inner: string | null;
}

const numbered = (stem: string, number: number): string => (number === 0 ? stem : `${stem}_${number}`);

export function scriptLayers(
  version: KerasVersion,
  options: UnetLayersOptions = { classes: 3, decoder: "transpose" },
): ScriptLayer[] {
  const counters = new Map<string, number>();
  const next = (stem: string): string => {
    const number = counters.get(stem) ?? 0;
    counters.set(stem, number + 1);
    return numbered(stem, number);
  };
  return unetLayers(options).map((layer): ScriptLayer => {
    const { name, part, operation } = layer;
    if (part === "encoder") {
      const inner = version === 2 ? name : name.replaceAll("/", "_");
      return { layer, outer: version === 2 ? "model" : "functional", inner };
    }
    const own = next(SNAKE[operation.kind]!);
    if (part === null || part === "head") return { layer, outer: own, inner: null };
    return { layer, outer: numbered("sequential", Number(part.slice(-1)) - 1), inner: own };
  });
}

const SNAKE: Partial<Record<LayerKind, string>> = {
  ZeroPadding2D: "zero_padding2d",
  Conv2D: "conv2d",
  Conv2DTranspose: "conv2d_transpose",
  BatchNormalization: "batch_normalization",
  Activation: "re_lu",
  MaxPooling2D: "max_pooling2d",
  AveragePooling2D: "average_pooling2d",
  Concatenate: "concatenate",
  UpSampling2D: "up_sampling2d",
};

/** A weight in a file of the old layout: group, name in its `weight_names`, and our name. */
export interface LegacyWeight {
  readonly group: string;
  readonly name: string;
  readonly ours: string;
  readonly shape: readonly number[];
}

/**
 * The weights in the order of `save_weights("x.h5")`.
 *
 * @param options.frozen `down_stack.trainable = False`: then all weights of one of its layers stand together
 * @param options.anonymous the nested layers have lost their names
 * @param options.scoped the names of a Sequential's weights begin with its own
 */
export function legacyWeights(
  layers: readonly ScriptLayer[],
  {
    version = 2,
    frozen = false,
    anonymous = false,
    scoped = true,
  }: { version?: KerasVersion; frozen?: boolean; anonymous?: boolean; scoped?: boolean } = {},
): LegacyWeight[] {
  return [...groupBy(layers)].flatMap(([group, members]) => {
    const all = members.flatMap(({ layer, outer, inner }, i) =>
      layer.weights.map(({ role, name: ours, shape }) => {
        const nested =
          inner !== null && layer.part === "encoder" && anonymous ? `layer_${members.length - i}` : inner;
        const path =
          nested === null ? outer : layer.part === "encoder" || !scoped ? nested : `${outer}/${nested}`;
        return { group, name: `${path}/${role}${version === 2 ? ":0" : ""}`, ours, shape, role };
      }),
    );
    if (frozen && members[0].layer.part === "encoder") return all;
    const moves = ({ role }: { role: string }): boolean => role.startsWith("moving_");
    return [...all.filter((weight) => !moves(weight)), ...all.filter(moves)];
  });
}

/** Layers by the layer of the whole model that they lie in. */
export function groupBy(layers: readonly ScriptLayer[]): Map<string, ScriptLayer[]> {
  const groups = new Map<string, ScriptLayer[]>();
  for (const layer of layers) {
    const group = groups.get(layer.outer);
    if (group === undefined) groups.set(layer.outer, [layer]);
    else group.push(layer);
  }
  return groups;
}

/** The weights by their paths in Keras 3's `x.weights.h5`, in the order of our layers. */
export function countedWeights(
  layers: readonly ScriptLayer[],
): { name: string; ours: string; shape: readonly number[] }[] {
  const counters = new Map<string, number>();
  const paths = new Map<string, string>();
  const counted = (container: string, stem: string): string => {
    const key = `${container}:${stem}`;
    const number = counters.get(key) ?? 0;
    counters.set(key, number + 1);
    return numbered(stem, number);
  };
  return layers.flatMap(({ layer, outer, inner }) => {
    const stem =
      layer.part === "encoder" && layer.operation.kind === "Activation"
        ? "activation"
        : SNAKE[layer.operation.kind]!;
    if (!paths.has(outer)) {
      const outerStem = inner === null ? stem : outer.replace(/_\d+$/, "");
      paths.set(outer, `layers/${counted("", outerStem)}`);
    }
    const container = paths.get(outer)!;
    const path = inner === null ? container : `${container}/layers/${counted(outer, stem)}`;
    return layer.weights.map(({ name: ours, shape }, i) => ({ name: `${path}/vars/${i}`, ours, shape }));
  });
}

/** Small numbers that differ from weight to weight; moving variances above zero. */
export function numbersFor(layers: readonly Layer[]): NamedTensors {
  const tensors: NamedTensors = new Map();
  let seed = 1;
  for (const { weights } of layers) {
    for (const { name, shape, role } of weights) {
      const data = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
      const step = 0.37 + (seed++ % 101) / 101;
      for (let i = 0; i < data.length; i++) data[i] = ((i * step) % 1) - 0.5;
      if (role === "moving_variance") data.forEach((value, i) => (data[i] = value + 0.75));
      tensors.set(name, { shape, data });
    }
  }
  return tensors;
}

/** Numbers of no weight, where shapes alone matter. */
export const emptyTensors = (weights: readonly { name: string; shape: readonly number[] }[]): NamedTensors =>
  new Map(
    weights.map(({ name, shape }): [string, HostTensor] => [name, { shape, data: new Float32Array(0) }]),
  );

/** Writes what `save_weights` or, with a configuration, `model.save` writes to an `.h5` file. */
export function writeLegacyH5(
  path: string,
  weights: readonly LegacyWeight[],
  numbers: NamedTensors,
  {
    config,
    layerNames = [...new Set(weights.map(({ group }) => group))],
  }: { config?: object; layerNames?: string[] } = {},
): void {
  const file = new File(path, "w");
  let root: Group = file;
  if (config !== undefined) {
    file.create_attribute("model_config", JSON.stringify(config), null, "S");
    file.create_attribute("training_config", "{}", null, "S");
    file.create_group("optimizer_weights").create_dataset({ name: "iterations", data: BigInt64Array.of(3n) });
    root = file.create_group("model_weights");
  }
  root.create_attribute("layer_names", layerNames);
  root.create_attribute("backend", "tensorflow");
  root.create_attribute("keras_version", "2.15.0");
  // Keras 3 makes the groups in the order of their names.
  for (const name of [...layerNames].sort()) {
    const group = root.create_group(name);
    const own = weights.filter((weight) => weight.group === name);
    writeNameList(
      group,
      "weight_names",
      own.map((weight) => weight.name),
    );
    for (const weight of own) {
      const { data, shape } = numbers.get(weight.ours)!;
      createDataset(group, weight.name, data, shape);
    }
  }
  file.close();
}

/** In pieces, as an attribute has less than 64 KiB. */
function writeNameList(group: Group, attribute: string, names: readonly string[]): void {
  if (names.length === 0) group.create_attribute(attribute, new Float64Array(0));
  else if (names.length < 300) group.create_attribute(attribute, [...names]);
  else {
    for (let i = 0; i * 300 < names.length; i++) {
      group.create_attribute(`${attribute}${i}`, names.slice(i * 300, (i + 1) * 300));
    }
  }
}

/** Writes Keras 3's `x.weights.h5`, with what an optimizer and a dropout leave in it. */
export function writeCountedH5(path: string, layers: readonly ScriptLayer[], numbers: NamedTensors): void {
  const file = new File(path, "w");
  for (const { name, ours } of countedWeights(layers)) {
    const { data, shape } = numbers.get(ours)!;
    createDataset(file, name, data, shape);
  }
  createDataset(file, "optimizer/vars/0", BigInt64Array.of(7n), []);
  createDataset(file, "layers/dropout/seed_generator/vars/0", BigInt64Array.of(1n, 2n), [2]);
  file.close();
}

function createDataset(
  root: Group,
  path: string,
  data: HostTensor["data"] | BigInt64Array,
  shape: readonly number[],
): void {
  const parts = path.split("/");
  parts.slice(0, -1).forEach((_, i) => {
    const group = parts.slice(0, i + 1).join("/");
    if (root.get(group) === null) root.create_group(group);
  });
  const parent = parts.length === 1 ? root : (root.get(parts.slice(0, -1).join("/")) as Group);
  parent.create_dataset({ name: parts.at(-1)!, data, shape: [...shape] });
}
