/** @file The `modelTopology` of a tfjs layers model: a functional Keras model as JSON. */
import { INPUT } from "../layers/networks/layer.ts";
import type { Layer, LayerOperation } from "../layers/networks/layer.ts";
import { WeightsError } from "./weights-error.ts";
import type { WrittenNetwork } from "./written-network.ts";

type Config = Record<string, unknown>;
/** A place in the model where a layer's result is: `[layer, call, tensor]`. */
type Place = [string, 0, 0];

const place = (name: string): Place => [name, 0, 0];

/**
 * The network as `tf.loadLayersModel` takes it: one input `image` `[null, S, S, 3]`, S null where the size is not
 * known, and the network's outputs.
 */
export function tfjsTopology({
  layers,
  outputs,
  imageSize,
}: Pick<WrittenNetwork, "layers" | "outputs" | "imageSize">): object {
  const batchInputShape = [null, imageSize, imageSize, 3];
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
        layers: [input, ...layers.map(layerJson)],
        input_layers: [place(INPUT)],
        output_layers: outputs.map(place),
      },
    },
  };
}

function layerJson({ name, operation, inputs }: Layer): object {
  const [className, config] = described(operation);
  return {
    class_name: className,
    name,
    config: { name, trainable: true, dtype: "float32", ...config },
    inbound_nodes: [inputs.map((input) => [...place(input), {}])],
  };
}

/** A layer's class in Keras, and what its configuration says besides its name. */
function described(operation: LayerOperation): [className: string, config: Config] {
  const layout = { data_format: "channels_last" };
  const square = (side: number): [number, number] => [side, side];
  switch (operation.kind) {
    case "ZeroPadding2D": {
      if ("halving" in operation.padding) throw notYet(operation);
      const { top, bottom, left, right } = operation.padding;
      return [
        "ZeroPadding2D",
        {
          ...layout,
          padding: [
            [top, bottom],
            [left, right],
          ],
        },
      ];
    }
    case "Conv2D":
    case "Conv2DTranspose": {
      const { kind, filters, kernelSize, strides, padding, useBias } = operation;
      const sizes = { kernel_size: kernelSize, strides: square(strides), dilation_rate: square(1) };
      return [kind, { ...layout, filters, ...sizes, padding, use_bias: useBias, activation: "linear" }];
    }
    case "BatchNormalization": {
      const { epsilon } = operation;
      return ["BatchNormalization", { axis: -1, momentum: 0.99, epsilon, center: true, scale: true }];
    }
    case "Activation":
      return ["Activation", { activation: operation.activation }];
    case "MaxPooling2D":
    case "AveragePooling2D": {
      const { kind, poolSize, strides } = operation;
      return [kind, { ...layout, pool_size: square(poolSize), strides: square(strides), padding: "valid" }];
    }
    case "Concatenate":
      return ["Concatenate", { axis: -1 }];
    case "UpSampling2D":
      return ["UpSampling2D", { ...layout, size: square(2), interpolation: "nearest" }];
    case "GlobalAveragePooling2D":
      return ["GlobalAveragePooling2D", layout];
    case "Dense": {
      const { units, activation } = operation;
      return ["Dense", { units, activation, use_bias: true }];
    }
    default:
      throw notYet(operation);
  }
}

function notYet({ kind }: LayerOperation): WeightsError {
  return new WeightsError(`A layer of the kind ${kind} cannot be written as a tfjs model yet.`);
}
