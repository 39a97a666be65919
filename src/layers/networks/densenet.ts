import { defineEncoder, KERAS_FILES } from "./encoder.ts";
import type { Encoder } from "./encoder.ts";
import { INPUT } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";

interface DenseNet {
  readonly name: string;
  readonly title: string;
  /** How many layers each dense block has. */
  readonly blocks: readonly [number, number, number, number];
  /** Channels that each layer of a dense block adds; 32 in all of Keras's. */
  readonly growth?: number;
  /** Digests of the files of weights, where there are some. */
  readonly md5?: { readonly noTop: string; readonly withTop: string };
}

/** DenseNet (Huang et al. 2017) as `keras.applications.densenet` builds it. */
export function denseNet({ name, title, blocks, growth = 32, md5 }: DenseNet): Encoder {
  const file = `${KERAS_FILES}/densenet/${name}_weights_tf_dim_ordering_tf_kernels`;
  return defineEncoder({
    name,
    title,
    preprocessing: "torch",
    taps: ["conv1/relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"],
    build: (list) => addLayers(list, blocks, growth),
    buildTop: (list, x, classes) => {
      const mean = list.add("avg_pool", { kind: "GlobalAveragePooling2D" }, x);
      list.add("fc1000", { kind: "Dense", units: classes, activation: "softmax" }, mean);
    },
    weights: md5 && {
      noTop: { url: `${file}_notop.h5`, md5: md5.noTop },
      withTop: { url: `${file}.h5`, md5: md5.withTop },
    },
  });
}

export const denseNet121 = denseNet({
  name: "densenet121",
  title: "DenseNet121",
  blocks: [6, 12, 24, 16],
  md5: { noTop: "30ee3e1110167f948a6b9946edeeb738", withTop: "9d60b8095a5708f2dcce2bca79d332c7" },
});
export const denseNet169 = denseNet({
  name: "densenet169",
  title: "DenseNet169",
  blocks: [6, 12, 32, 32],
  md5: { noTop: "b8c4d4c20dd625c148057b9ff1c1176b", withTop: "d699b8f76981ab1b30698df4c175e90b" },
});
export const denseNet201 = denseNet({
  name: "densenet201",
  title: "DenseNet201",
  blocks: [6, 12, 48, 32],
  md5: { noTop: "c13680b51ded0fb44dff2d8f86ac8bb1", withTop: "1ceb130c1ea1b78c3bf6114dbdfd8807" },
});

function addLayers(list: LayerList, blocks: readonly number[], growth: number): string {
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
  x = relu("conv1/relu", normalized("conv1/bn", conv("conv1/conv", x, 7, 2 * growth, 2)));
  x = padded("zero_padding2d_2", x, 1);
  x = list.add("pool1", { kind: "MaxPooling2D", poolSize: 3, strides: 2, padding: "valid" }, x);
  blocks.forEach((layers, block) => {
    for (let layer = 1; layer <= layers; layer++) {
      const name = `conv${block + 2}_block${layer}`;
      let y = relu(`${name}_0_relu`, normalized(`${name}_0_bn`, x));
      y = conv(`${name}_1_conv`, y, 1, 4 * growth);
      y = relu(`${name}_1_relu`, normalized(`${name}_1_bn`, y));
      y = conv(`${name}_2_conv`, y, 3, growth);
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
