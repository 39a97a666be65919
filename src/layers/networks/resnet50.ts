import { defineEncoder, KERAS_FILES } from "./encoder.ts";
import { INPUT } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";

/** Filters of the 3×3 convolutions of each stage, and how many blocks it has. */
const STAGES = [
  { filters: 64, blocks: 3 },
  { filters: 128, blocks: 4 },
  { filters: 256, blocks: 6 },
  { filters: 512, blocks: 3 },
];

/** ResNet50 (He et al. 2015) as `keras.applications.resnet` builds it: every convolution has a bias. */
export const resNet50 = defineEncoder({
  name: "resnet50",
  title: "ResNet50",
  preprocessing: "caffe",
  weights: {
    noTop: {
      url: `${KERAS_FILES}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5`,
      md5: "4d473c1dd8becc155b73f8504c6f6626",
    },
    withTop: {
      url: `${KERAS_FILES}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5`,
      md5: "2cb95161c43110f7111970584f804107",
    },
  },
  taps: ["conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"],
  build: (list) => {
    let x = padded(list, "conv1_pad", INPUT, 3);
    x = normalized(
      list,
      "conv1_bn",
      convolution(list, "conv1_conv", x, { size: 7, filters: 64, strides: 2 }),
    );
    x = padded(list, "pool1_pad", relu(list, "conv1_relu", x), 1);
    x = list.add("pool1_pool", { kind: "MaxPooling2D", poolSize: 3, strides: 2, padding: "valid" }, x);
    STAGES.forEach(({ filters, blocks }, stage) => {
      for (let block = 1; block <= blocks; block++) {
        const name = `conv${stage + 2}_block${block}`;
        x = bottleneck(list, name, x, {
          filters,
          widens: block === 1,
          strides: block === 1 && stage > 0 ? 2 : 1,
        });
      }
    });
    return x;
  },
  buildTop: (list, x, classes) => {
    const mean = list.add("avg_pool", { kind: "GlobalAveragePooling2D" }, x);
    list.add("predictions", { kind: "Dense", units: classes, activation: "softmax" }, mean);
  },
});

/** 1×1, 3×3 and 1×1 to four times as many channels, added to what came in; a block that `widens` takes that through a 1×1 too. */
function bottleneck(
  list: LayerList,
  name: string,
  x: string,
  { filters, widens, strides }: { filters: number; widens: boolean; strides: number },
): string {
  const normalizedConvolution = (part: number, from: string, options: ConvolutionOptions): string =>
    normalized(list, `${name}_${part}_bn`, convolution(list, `${name}_${part}_conv`, from, options));

  const shortcut = widens ? normalizedConvolution(0, x, { size: 1, filters: 4 * filters, strides }) : x;
  let y = relu(list, `${name}_1_relu`, normalizedConvolution(1, x, { size: 1, filters, strides }));
  y = relu(list, `${name}_2_relu`, normalizedConvolution(2, y, { size: 3, filters, padding: "same" }));
  y = normalizedConvolution(3, y, { size: 1, filters: 4 * filters });
  return relu(list, `${name}_out`, list.add(`${name}_add`, { kind: "Add" }, shortcut, y));
}

interface ConvolutionOptions {
  readonly size: number;
  readonly filters: number;
  readonly strides?: number;
  readonly padding?: "same" | "valid";
}

function convolution(
  list: LayerList,
  name: string,
  x: string,
  { size, filters, strides = 1, padding = "valid" }: ConvolutionOptions,
): string {
  const kernelSize = [size, size] as const;
  return list.add(name, { kind: "Conv2D", filters, kernelSize, strides, padding, useBias: true }, x);
}

const normalized = (list: LayerList, name: string, x: string): string =>
  list.add(name, { kind: "BatchNormalization", epsilon: 1.001e-5, momentum: 0.99, scale: true }, x);

const relu = (list: LayerList, name: string, x: string): string =>
  list.add(name, { kind: "Activation", activation: "relu" }, x);

const padded = (list: LayerList, name: string, x: string, by: number): string =>
  list.add(name, { kind: "ZeroPadding2D", padding: { top: by, bottom: by, left: by, right: by } }, x);
