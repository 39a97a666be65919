/** @file The `modelTopology` of a tfjs layers model: a functional Keras model as JSON. */
import { INPUT } from "../layers/networks/layer.ts";
import type { Edges, Layer, LayerOperation, OperationOf } from "../layers/networks/layer.ts";
import { affineOf } from "./match/preparation.ts";
import { resolvedLayers } from "./resolved-layers.ts";
import { WeightsError } from "./weights-error.ts";
import type { WrittenNetwork } from "./written-network.ts";

type Config = Record<string, unknown>;
/** A place in the model where a layer's result is: `[layer, call, tensor]`. */
type Place = [string, 0, 0];

/** A layer's class in Keras, and what its configuration says besides its name. */
type ClassAndConfig = [className: string, config: Config];

/** A layer as tfjs has it. */
interface Described extends Pick<Layer, "name" | "inputs"> {
  readonly described: ClassAndConfig;
}

const place = (name: string): Place => [name, 0, 0];

/**
 * The network as `tf.loadLayersModel` takes it: one input `image` `[null, H, W, 3]`, H and W null where the size is not
 * known, and the network's outputs.
 *
 * @throws {WeightsError} where the network needs the size, or tfjs has no such layer
 */
export function tfjsTopology(network: WrittenNetwork): object {
  const { outputs, imageSize } = network;
  const layers = resolvedLayers(network);
  if (imageSize === null && layers.some(({ operation }) => operation.kind === "Cropping2D")) {
    throw new WeightsError(
      `tfjs crops only images whose size it knows, as ${network.encoder.title} does: give that of the photos with ` +
        "--image-size, 128 for example.",
    );
  }
  const batchInputShape = [null, imageSize?.height ?? null, imageSize?.width ?? null, 3];
  const input = {
    class_name: "InputLayer",
    name: INPUT,
    config: { name: INPUT, batch_input_shape: batchInputShape, dtype: "float32", sparse: false },
    inbound_nodes: [],
  };
  return {
    keras_version: "2.15.0",
    backend: "tensorflow",
    model_config: {
      class_name: "Model",
      config: {
        name: outputs.length === 1 ? "unet" : "encoder",
        layers: [input, ...layers.flatMap(layersForTfjs).map(layerJson)],
        input_layers: [place(INPUT)],
        output_layers: outputs.map(place),
      },
    },
  };
}

/**
 * tfjs's own bilinear upsampling has pixels' corners where Keras has their centres. Every pixel repeated 4×4, and then means of 4×4 two
 * pixels apart, are 3/4 of a pixel and 1/4 of its neighbour; what is padded does not count, so the edges come out as well.
 */
function layersForTfjs(layer: Layer): Described[] {
  const { name, operation } = layer;
  if (operation.kind !== "UpSampling2D" || operation.interpolation === "nearest")
    return [{ ...layer, described: described(operation) }];
  const repeated = `${name}_repeated`;
  const means = { kind: "AveragePooling2D", poolSize: 4, strides: 2, padding: "same" } as const;
  return [
    { ...layer, name: repeated, described: upSampling(4) },
    { name, inputs: [repeated], described: described(means) },
  ];
}

function layerJson({ name, inputs, described: [className, config] }: Described): object {
  return {
    class_name: className,
    name,
    config: { name, trainable: true, dtype: "float32", ...config },
    inbound_nodes: [inputs.map((input) => [...place(input), {}])],
  };
}

function described(operation: LayerOperation): ClassAndConfig {
  switch (operation.kind) {
    case "ZeroPadding2D":
      return [operation.kind, { ...LAYOUT, padding: edges(operation.padding as Edges) }];
    case "Cropping2D":
      return [operation.kind, { ...LAYOUT, cropping: edges(operation.cropping) }];
    case "Conv2D":
    case "Conv2DTranspose":
      return [operation.kind, { filters: operation.filters, ...convolution(operation) }];
    case "DepthwiseConv2D":
      return [operation.kind, { ...convolution(operation), depth_multiplier: 1 }];
    case "SeparableConv2D":
      return [operation.kind, { filters: operation.filters, ...convolution(operation), depth_multiplier: 1 }];
    case "BatchNormalization": {
      const { epsilon, scale, momentum } = operation;
      return [operation.kind, { axis: -1, momentum, epsilon, center: true, scale }];
    }
    case "Activation":
      if (operation.activation === "hard_swish") {
        throw new WeightsError("tfjs has no hard_swish, so that network cannot be written as a tfjs model.");
      }
      return [operation.kind, { activation: operation.activation }];
    case "MaxPooling2D":
    case "AveragePooling2D": {
      const { kind, poolSize, strides, padding } = operation;
      return [kind, { ...LAYOUT, pool_size: square(poolSize), strides: square(strides), padding }];
    }
    case "Concatenate":
      return [operation.kind, { axis: -1 }];
    case "UpSampling2D":
      return upSampling(2);
    case "GlobalAveragePooling2D":
      return [operation.kind, LAYOUT];
    case "Reshape":
      return [operation.kind, { target_shape: operation.target }];
    case "Dense": {
      const { units, activation } = operation;
      return [operation.kind, { units, activation, use_bias: true }];
    }
    case "Dropout":
      return [operation.kind, { rate: operation.rate, ...(operation.perPhoto ? PER_PHOTO : {}) }];
    case "Add":
    case "Multiply":
      return [operation.kind, {}];
    case "Rescaling":
    case "Normalization":
      // tfjs has no Normalization.
      return ["Rescaling", { ...affineOf(operation)! }];
    case "CenterCropOrPad":
      throw new Error(`A layer of the kind ${operation.kind} must have been resolved.`);
  }
}

/** By repeating pixels. */
const upSampling = (size: number): ClassAndConfig => [
  "UpSampling2D",
  { ...LAYOUT, size: square(size), interpolation: "nearest" },
];

const LAYOUT = { data_format: "channels_last" };
const PER_PHOTO = { noise_shape: [null, 1, 1, 1] };

const square = (side: number): [number, number] => [side, side];

const edges = ({ top, bottom, left, right }: Edges): [number, number][] => [
  [top, bottom],
  [left, right],
];

function convolution({
  kernelSize,
  strides,
  padding,
  useBias,
}: Pick<OperationOf<"Conv2D">, "kernelSize" | "strides" | "padding" | "useBias">): Config {
  const sizes = { kernel_size: kernelSize, strides: square(strides), dilation_rate: square(1) };
  return { ...LAYOUT, ...sizes, padding, use_bias: useBias, activation: "linear" };
}
