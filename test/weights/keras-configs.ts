/** @file The configuration of the tutorial's model as Keras 2 and Keras 3 write it. */
import { DEFAULT_ENCODER } from "../../src/layers/networks/encoders.ts";
import { INPUT } from "../../src/layers/networks/layer.ts";
import type { Layer } from "../../src/layers/networks/layer.ts";
import { groupBy, type KerasVersion, type ScriptLayer } from "./keras-models.ts";

type Json = Record<string, unknown>;

/** The configuration of the tutorial's model, as `model.to_json()` has it. */
export function kerasConfig(layers: readonly ScriptLayer[], version: KerasVersion): Json {
  const encoder = layers.filter(({ layer }) => layer.part === "encoder");
  const places = new Map<string, [string, number]>([[INPUT, ["input_2", 0]]]);
  const inside = new Map<string, [string, number]>([[INPUT, ["input_1", 0]]]);
  for (const { layer, outer, inner } of layers) {
    if (layer.part === "encoder") {
      inside.set(layer.name, [inner!, 0]);
      const skip = (DEFAULT_ENCODER.taps as readonly string[]).indexOf(layer.name);
      if (skip !== -1) places.set(layer.name, [outer, skip]);
    } else places.set(layer.name, [outer, 0]);
  }
  const downStack = functional(encoder[0].outer, version, {
    input: "input_1",
    layers: encoder.map(({ layer, inner }) =>
      layerJson(
        layer,
        inner!,
        version,
        layer.inputs.map((input) => inside.get(input)!),
      ),
    ),
    outputs: DEFAULT_ENCODER.taps.map((name) => inside.get(name)!),
  });
  const outer: Json[] = [
    { ...downStack, name: encoder[0].outer, inbound_nodes: [node([places.get(INPUT)!], version)] },
  ];
  for (const [name, members] of groupBy(layers)) {
    const [first] = members;
    if (first.layer.part === "encoder") continue;
    const reads = first.layer.inputs.map((input) => places.get(input)!);
    if (first.inner === null) outer.push(layerJson(first.layer, name, version, reads));
    else {
      const input = {
        class_name: "InputLayer",
        config: { name: `${name}_input`, batch_input_shape: [null, 4, 4, 8] },
      };
      const own = members.map(({ layer, inner }) => {
        const { inbound_nodes, ...alone } = layerJson(layer, inner!, version, []);
        void inbound_nodes;
        return alone;
      });
      outer.push({
        class_name: "Sequential",
        name,
        config: { name, layers: [input, ...own] },
        inbound_nodes: [node(reads, version)],
      });
    }
  }
  return functional("model_1", version, { input: "input_2", layers: outer, outputs: [places.get("head")!] });
}

function functional(
  name: string,
  version: KerasVersion,
  parts: { input: string; layers: Json[]; outputs: [string, number][] },
): Json {
  const place = ([layer, tensor]: [string, number]): unknown => [layer, 0, tensor];
  const input = {
    class_name: "InputLayer",
    name: parts.input,
    config: { name: parts.input, batch_shape: [null, null, null, 3] },
    inbound_nodes: [],
  };
  const outputs = parts.outputs.map(place);
  return {
    ...(version === 3 ? { module: "keras.src.models.functional", registered_name: "Functional" } : {}),
    class_name: "Functional",
    config: {
      name,
      layers: [input, ...parts.layers],
      input_layers: version === 3 ? place([parts.input, 0]) : [place([parts.input, 0])],
      output_layers: version === 3 && outputs.length === 1 ? outputs[0] : outputs,
    },
  };
}

function layerJson(layer: Layer, name: string, version: KerasVersion, reads: [string, number][]): Json {
  const { operation } = layer;
  const square = (side: number): number[] => [side, side];
  const inEncoder = layer.part === "encoder";
  const [className, config] = ((): [string, Json] => {
    switch (operation.kind) {
      case "ZeroPadding2D": {
        if ("halving" in operation.padding) break;
        const { top, bottom, left, right } = operation.padding;
        return [
          operation.kind,
          {
            padding: [
              [top, bottom],
              [left, right],
            ],
          },
        ];
      }
      case "Conv2D":
      case "Conv2DTranspose":
        return [
          operation.kind,
          {
            filters: operation.filters,
            kernel_size: operation.kernelSize,
            strides: square(operation.strides),
            padding: operation.kernelSize.join() === "1,1" ? "valid" : operation.padding,
            data_format: "channels_last",
            dilation_rate: [1, 1],
            groups: 1,
            activation: "linear",
            use_bias: operation.useBias,
          },
        ];
      case "BatchNormalization":
        return [
          operation.kind,
          {
            axis: version === 3 ? 3 : [3],
            momentum: 0.99,
            epsilon: operation.epsilon,
            center: true,
            scale: true,
          },
        ];
      case "Activation":
        return inEncoder
          ? ["Activation", { activation: "relu" }]
          : ["ReLU", { max_value: null, negative_slope: version === 3 ? 0 : [0], threshold: 0 }];
      case "MaxPooling2D":
      case "AveragePooling2D":
        return [
          operation.kind,
          { pool_size: square(operation.poolSize), strides: square(operation.strides), padding: "valid" },
        ];
      case "Concatenate":
        return [operation.kind, { axis: inEncoder ? 3 : -1 }];
      case "UpSampling2D":
        return [operation.kind, { size: [2, 2], interpolation: operation.interpolation }];
    }
    throw new Error(`No configuration for ${operation.kind}.`);
  })();
  return {
    class_name: className,
    name,
    config: { name, trainable: true, dtype: "float32", ...config },
    inbound_nodes: [node(reads, version)],
  };
}

function node(reads: readonly [string, number][], version: KerasVersion): unknown {
  if (version === 2) return reads.map(([name, tensor]) => [name, 0, tensor, {}]);
  const tensors = reads.map(([name, tensor]) => ({
    class_name: "__keras_tensor__",
    config: { shape: [null, 8, 8, 8], dtype: "float32", keras_history: [name, 0, tensor] },
  }));
  return { args: tensors.length === 1 ? tensors : [tensors], kwargs: {} };
}
