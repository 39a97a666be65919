/**
 * @file Which group of a Keras `.h5` file holds which weights, in what order and by what names. `load_weights` goes by
 * the order (Keras `saving/legacy/hdf5_format.py`); the names are those that Keras gives the tutorial's model.
 */
import type { Layer, LayerKind } from "../layers/networks/layer.ts";
import { kerasOrder } from "./keras-order.ts";
import type { NamedTensors, TensorData } from "./tensors.ts";
import type { WrittenNetwork } from "./written-network.ts";

/** A layer of the model: a group of the file. Many have no weights. */
export interface H5Layer {
  readonly name: string;
  readonly weights: readonly H5Weight[];
}

/** A data set in the layer's group: its name as in `weight_names`, e.g. `conv1/bn/gamma:0`. */
export interface H5Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: TensorData | BigInt64Array;
}

/** The nested model of the tutorial, whose layers count as one. */
const DOWN_STACK = "model";
const INPUT_LAYER = "input_1";

/**
 * The groups of a network's file: an encoder's as `keras.applications` has them, one a layer; a U-Net's as those of the
 * tutorial's model, where the encoder is one layer and each upsample block another.
 */
export function h5Layers({ encoder, layers, weights, outputs }: WrittenNetwork): H5Layer[] {
  const isUnet = layers.some(({ part }) => part === "head");
  const groups = new Map<string, [Layer, string][]>([[isUnet ? "input_2" : INPUT_LAYER, []]]);
  const isBase = ({ part }: Layer): boolean => part === "encoder";
  // An encoder's file is for the model that has but one result: whatever its taps are, its last layer's.
  const ordered = isUnet
    ? [...kerasOrder(layers.filter(isBase), encoder.taps), ...layers.filter((layer) => !isBase(layer))]
    : kerasOrder(layers, outputs.length === 1 ? outputs : [layers.at(-1)!.name]);
  for (const layer of ordered) {
    const [group, name] = isUnet ? nestedNames(layer) : [layer.name, layer.name];
    groups.set(group, [...(groups.get(group) ?? []), [layer, name]]);
  }
  return [...groups].map(([name, members]) => {
    const all = members.flatMap(([layer, own]) => storedWeights(layer, own, weights));
    // Keras lists what can be trained of a whole layer before the rest, a nested model's included.
    return { name, weights: [...all.filter(isTrainable), ...all.filter((weight) => !isTrainable(weight))] };
  });
}

const isTrainable = ({ name }: H5Weight): boolean =>
  !/\/(moving_mean|moving_variance|mean|variance|count):0$/.test(name);

/** A layer's weights, and of one that normalizes photos what Keras counts among them. */
function storedWeights({ operation, weights }: Layer, own: string, tensors: NamedTensors): H5Weight[] {
  if (operation.kind !== "Normalization") {
    return weights.map(({ role, name }) => ({ name: `${own}/${role}:0`, ...tensors.get(name)! }));
  }
  const numbers = [
    ["mean", operation.mean],
    ["variance", operation.variance],
  ] as const;
  return [
    ...numbers.map(([role, values]) => ({
      name: `${own}/${role}:0`,
      shape: [values.length],
      data: Float32Array.from(values),
    })),
    { name: `${own}/count:0`, shape: [], data: BigInt64Array.of(0n) },
  ];
}

/** The group of a U-Net's layer, and the layer's name in it: Keras numbers the layers of a kind. */
function nestedNames({ name, part, operation }: Layer): [group: string, name: string] {
  if (part === "encoder") return [DOWN_STACK, name];
  if (part === "head") {
    const own = numbered(KERAS_NAMES[operation.kind]!, 4);
    return [own, own];
  }
  if (operation.kind === "CenterCropOrPad") return [name, name];
  const block = Number(/\d+/.exec(name)![0]) - 1;
  const own = numbered(KERAS_NAMES[operation.kind]!, block);
  return part === null ? [own, own] : [numbered("sequential", block), own];
}

/** What Keras calls a layer that was given no name. */
const KERAS_NAMES: Partial<Record<LayerKind, string>> = {
  Conv2D: "conv2d",
  Conv2DTranspose: "conv2d_transpose",
  BatchNormalization: "batch_normalization",
  Activation: "re_lu",
  Concatenate: "concatenate",
  UpSampling2D: "up_sampling2d",
};

/** The first is called by its kind alone. */
const numbered = (name: string, index: number): string => (index === 0 ? name : `${name}_${index}`);
