import { defineEncoder, KERAS_FILES } from "./encoder.ts";
import { INPUT } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";

/** Filters of each run of blocks, how many blocks it has, and the strides of its first. */
const RUNS = [
  { filters: 16, blocks: 1, strides: 1 },
  { filters: 24, blocks: 2, strides: 2 },
  { filters: 32, blocks: 3, strides: 2 },
  { filters: 64, blocks: 4, strides: 2 },
  { filters: 96, blocks: 3, strides: 1 },
  { filters: 160, blocks: 3, strides: 2 },
  { filters: 320, blocks: 1, strides: 1 },
];
/** How many times more channels a block has inside. */
const EXPANSION = 6;

/**
 * MobileNetV2 (Sandler et al. 2018), alpha 1, as `keras.applications.mobilenet_v2` builds it.
 *
 * Its taps are those of TensorFlow's segmentation tutorial: the widest layer before each halving, and the last
 * projection as its convolution leaves it. The layers after that one serve the top alone.
 */
export const mobileNetV2 = defineEncoder({
  name: "mobilenetv2",
  title: "MobileNetV2",
  preprocessing: "tf",
  weights: {
    // Keras pins no digests of these.
    noTop: {
      url: `${KERAS_FILES}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5`,
      md5: null,
    },
    withTop: {
      url: `${KERAS_FILES}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5`,
      md5: null,
    },
  },
  taps: [
    "block_1_expand_relu",
    "block_3_expand_relu",
    "block_6_expand_relu",
    "block_13_expand_relu",
    "block_16_project",
  ],
  build: (list) => {
    let x = list.add("Conv1", { ...CONVOLUTION, filters: 32, kernelSize: [3, 3], strides: 2 }, INPUT);
    x = relu6(list, "Conv1_relu", normalized(list, "bn_Conv1", x));
    let index = 0;
    for (const { filters, blocks, strides } of RUNS) {
      for (let block = 0; block < blocks; block++, index++)
        x = invertedResidual(list, index, x, { filters, strides: block === 0 ? strides : 1 });
    }
    x = list.add("Conv_1", { ...CONVOLUTION, filters: 1280, kernelSize: [1, 1], padding: "valid" }, x);
    return relu6(list, "out_relu", normalized(list, "Conv_1_bn", x));
  },
  buildTop: (list, x, classes) => {
    const mean = list.add("global_average_pooling2d", { kind: "GlobalAveragePooling2D" }, x);
    list.add("predictions", { kind: "Dense", units: classes, activation: "softmax" }, mean);
  },
});

const CONVOLUTION = { kind: "Conv2D", strides: 1, padding: "same", useBias: false } as const;

/** 1×1 to more channels, depthwise 3×3, 1×1 to fewer without activation; added to what came in where that is as large. */
function invertedResidual(
  list: LayerList,
  index: number,
  input: string,
  { filters, strides }: { filters: number; strides: number },
): string {
  const name = index === 0 ? "expanded_conv" : `block_${index}`;
  const inChannels = list.channels(input);
  let x = input;
  if (index > 0) {
    const kernel = { filters: EXPANSION * inChannels, kernelSize: [1, 1] } as const;
    x = list.add(`${name}_expand`, { ...CONVOLUTION, ...kernel }, x);
    x = relu6(list, `${name}_expand_relu`, normalized(list, `${name}_expand_BN`, x));
  }
  if (strides === 2) x = list.add(`${name}_pad`, { kind: "ZeroPadding2D", padding: { halving: 3 } }, x);
  x = list.add(
    `${name}_depthwise`,
    {
      kind: "DepthwiseConv2D",
      kernelSize: [3, 3],
      strides,
      padding: strides === 2 ? "valid" : "same",
      useBias: false,
    },
    x,
  );
  x = relu6(list, `${name}_depthwise_relu`, normalized(list, `${name}_depthwise_BN`, x));
  x = list.add(`${name}_project`, { ...CONVOLUTION, filters, kernelSize: [1, 1] }, x);
  x = normalized(list, `${name}_project_BN`, x);
  return strides === 1 && inChannels === filters ? list.add(`${name}_add`, { kind: "Add" }, input, x) : x;
}

const normalized = (list: LayerList, name: string, x: string): string =>
  list.add(name, { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.999, scale: true }, x);

const relu6 = (list: LayerList, name: string, x: string): string =>
  list.add(name, { kind: "Activation", activation: "relu6" }, x);
