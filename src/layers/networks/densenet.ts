import { defineEncoder } from "./encoder.ts";
import type { Encoder } from "./encoder.ts";
import { INPUT } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";

/** Channels that each layer of a dense block adds; its first convolution has four times as many. */
const GROWTH = 32;

/** DenseNet (Huang et al. 2017) as `keras.applications.densenet` builds it, by how many layers each dense block has. */
function denseNet(name: string, title: string, blocks: readonly [number, number, number, number]): Encoder {
  return defineEncoder({
    name,
    title,
    preprocessing: "torch",
    taps: ["conv1/relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"],
    build: (list) => addLayers(list, blocks),
    buildTop: (list, x, classes) => {
      const mean = list.add("avg_pool", { kind: "GlobalAveragePooling2D" }, x);
      list.add("fc1000", { kind: "Dense", units: classes, activation: "softmax" }, mean);
    },
  });
}

export const denseNet121 = denseNet("densenet121", "DenseNet121", [6, 12, 24, 16]);
export const denseNet169 = denseNet("densenet169", "DenseNet169", [6, 12, 32, 32]);
export const denseNet201 = denseNet("densenet201", "DenseNet201", [6, 12, 48, 32]);

function addLayers(list: LayerList, blocks: readonly number[]): string {
  const normalized = (name: string, x: string): string =>
    list.add(name, { kind: "BatchNormalization", epsilon: 1.001e-5, momentum: 0.99, scale: true }, x);
  const conv = (name: string, x: string, size: number, filters: number, strides = 1): string => {
    const padding = strides === 1 ? "same" : "valid";
    const kernelSize = [size, size] as const;
    return list.add(name, { kind: "Conv2D", filters, kernelSize, strides, padding, useBias: false }, x);
  };
  const relu = (name: string, x: string): string =>
    list.add(name, { kind: "Activation", activation: "relu" }, x);
  const padded = (name: string, x: string, by: number): string => {
    const padding = { top: by, bottom: by, left: by, right: by };
    return list.add(name, { kind: "ZeroPadding2D", padding }, x);
  };

  let x = padded("zero_padding2d_1", INPUT, 3);
  x = relu("conv1/relu", normalized("conv1/bn", conv("conv1/conv", x, 7, 64, 2)));
  x = padded("zero_padding2d_2", x, 1);
  x = list.add("pool1", { kind: "MaxPooling2D", poolSize: 3, strides: 2, padding: "valid" }, x);
  blocks.forEach((layers, block) => {
    for (let layer = 1; layer <= layers; layer++) {
      const name = `conv${block + 2}_block${layer}`;
      let y = relu(`${name}_0_relu`, normalized(`${name}_0_bn`, x));
      y = conv(`${name}_1_conv`, y, 1, 4 * GROWTH);
      y = relu(`${name}_1_relu`, normalized(`${name}_1_bn`, y));
      y = conv(`${name}_2_conv`, y, 3, GROWTH);
      x = list.add(`${name}_concat`, { kind: "Concatenate" }, x, y);
    }
    if (block === blocks.length - 1) {
      x = relu("relu", normalized("bn", x));
      return;
    }
    const name = `pool${block + 2}`;
    x = relu(`${name}_relu`, normalized(`${name}_bn`, x));
    x = conv(`${name}_conv`, x, 1, list.channels(x) / 2);
    x = list.add(`${name}_pool`, { kind: "AveragePooling2D", poolSize: 2, strides: 2, padding: "valid" }, x);
  });
  return x;
}
