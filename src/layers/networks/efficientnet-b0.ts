import { defineEncoder } from "./encoder.ts";
import { INPUT } from "./layer.ts";
import type { Activation } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";

/** Each stage: kernel and filters, how many blocks, the strides of the first, and how many times more channels inside. */
const STAGES = [
  { size: 3, filters: 16, blocks: 1, strides: 1, expansion: 1 },
  { size: 3, filters: 24, blocks: 2, strides: 2, expansion: 6 },
  { size: 5, filters: 40, blocks: 2, strides: 2, expansion: 6 },
  { size: 3, filters: 80, blocks: 3, strides: 2, expansion: 6 },
  { size: 5, filters: 112, blocks: 3, strides: 1, expansion: 6 },
  { size: 5, filters: 192, blocks: 4, strides: 2, expansion: 6 },
  { size: 3, filters: 320, blocks: 1, strides: 1, expansion: 6 },
];
const BLOCKS = STAGES.reduce((sum, { blocks }) => sum + blocks, 0);
/** How often the last block would be dropped; those before it in proportion to their depth. */
const DROP_CONNECT = 0.2;
/** ImageNet's, of pixels in 0…1. */
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/**
 * EfficientNetB0 (Tan and Le 2019) as `keras.applications.efficientnet` builds it for its trained weights. It takes
 * pixels 0…255 and normalizes them itself: what Keras does in three layers, with square roots of the deviations as weights
 * and as a factor, is one `Normalization` here.
 *
 * Its taps are the widest layer before each halving, and the last.
 */
export const efficientNetB0 = defineEncoder({
  name: "efficientnetb0",
  title: "EfficientNetB0",
  preprocessing: "inside",
  weights: {
    noTop: {
      url: "https://storage.googleapis.com/keras-applications/efficientnetb0_notop.h5",
      md5: "50bc09e76180e00e4465e1a485ddc09d",
    },
    withTop: {
      url: "https://storage.googleapis.com/keras-applications/efficientnetb0.h5",
      md5: "902e53a9f72be733fc0bcb005b3ebbac",
    },
  },
  taps: [
    "block2a_expand_activation",
    "block3a_expand_activation",
    "block4a_expand_activation",
    "block6a_expand_activation",
    "top_activation",
  ],
  build: (list) => {
    let x = list.add("rescaling", { kind: "Rescaling", scale: 1 / 255, offset: 0 }, INPUT);
    const variance = DEVIATION.map((deviation) => deviation ** 2);
    x = list.add("normalization", { kind: "Normalization", mean: MEAN, variance }, x);
    x = list.add("stem_conv_pad", { kind: "ZeroPadding2D", padding: { halving: 3 } }, x);
    const kernel = { filters: 32, kernelSize: [3, 3] } as const;
    x = list.add("stem_conv", { ...CONVOLUTION, ...kernel, strides: 2, padding: "valid" }, x);
    x = swish(list, "stem_activation", normalized(list, "stem_bn", x));
    let before = 0;
    STAGES.forEach(({ blocks, strides, ...stage }, i) => {
      for (let block = 0; block < blocks; block++, before++) {
        const name = `block${i + 1}${"abcd"[block]}`;
        const dropRate = (DROP_CONNECT * before) / BLOCKS;
        x = invertedResidual(list, name, x, { ...stage, strides: block === 0 ? strides : 1, dropRate });
      }
    });
    x = list.add("top_conv", { ...CONVOLUTION, filters: 1280, kernelSize: [1, 1] }, x);
    return swish(list, "top_activation", normalized(list, "top_bn", x));
  },
  buildTop: (list, x, classes) => {
    const mean = list.add("avg_pool", { kind: "GlobalAveragePooling2D" }, x);
    const dropped = list.add("top_dropout", { kind: "Dropout", rate: 0.2, perPhoto: false }, mean);
    list.add("predictions", { kind: "Dense", units: classes, activation: "softmax" }, dropped);
  },
});

const CONVOLUTION = { kind: "Conv2D", strides: 1, padding: "same", useBias: false } as const;

interface BlockOptions {
  readonly size: number;
  readonly filters: number;
  readonly strides: number;
  readonly expansion: number;
  /** How often a photo's branch is left out in training. */
  readonly dropRate: number;
}

/** 1×1 to more channels, depthwise, squeeze and excite, 1×1 to fewer; added to what came in where that is as large. */
function invertedResidual(
  list: LayerList,
  name: string,
  input: string,
  { size, filters, strides, expansion, dropRate }: BlockOptions,
): string {
  const inChannels = list.channels(input);
  let x = input;
  if (expansion > 1) {
    const kernel = { filters: expansion * inChannels, kernelSize: [1, 1] } as const;
    x = list.add(`${name}_expand_conv`, { ...CONVOLUTION, ...kernel }, x);
    x = swish(list, `${name}_expand_activation`, normalized(list, `${name}_expand_bn`, x));
  }
  if (strides === 2)
    x = list.add(`${name}_dwconv_pad`, { kind: "ZeroPadding2D", padding: { halving: size } }, x);
  x = list.add(
    `${name}_dwconv`,
    {
      kind: "DepthwiseConv2D",
      kernelSize: [size, size],
      strides,
      padding: strides === 2 ? "valid" : "same",
      useBias: false,
    },
    x,
  );
  x = swish(list, `${name}_activation`, normalized(list, `${name}_bn`, x));
  x = squeezeAndExcite(list, `${name}_se`, x, Math.max(1, Math.floor(inChannels / 4)));
  x = list.add(`${name}_project_conv`, { ...CONVOLUTION, filters, kernelSize: [1, 1] }, x);
  x = normalized(list, `${name}_project_bn`, x);
  if (strides === 2 || inChannels !== filters) return x;
  if (dropRate > 0) x = list.add(`${name}_drop`, { kind: "Dropout", rate: dropRate, perPhoto: true }, x);
  return list.add(`${name}_add`, { kind: "Add" }, x, input);
}

/** Multiplies each channel by a number in 0…1 that a small network makes of the means of all channels. */
function squeezeAndExcite(list: LayerList, name: string, x: string, filters: number): string {
  const channels = list.channels(x);
  const convolution = (part: string, from: string, to: number, activation: Activation): string => {
    const options = { ...CONVOLUTION, filters: to, kernelSize: [1, 1], useBias: true } as const;
    // In Keras the activation is an option of the convolution.
    const y = list.add(`${name}_${part}`, options, from);
    return list.add(`${name}_${part}_activation`, { kind: "Activation", activation }, y);
  };
  let factor = list.add(`${name}_squeeze`, { kind: "GlobalAveragePooling2D" }, x);
  factor = list.add(`${name}_reshape`, { kind: "Reshape", target: [1, 1, channels] }, factor);
  factor = convolution("reduce", factor, filters, "swish");
  factor = convolution("expand", factor, channels, "sigmoid");
  return list.add(`${name}_excite`, { kind: "Multiply" }, x, factor);
}

const normalized = (list: LayerList, name: string, x: string): string =>
  list.add(name, { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.99, scale: true }, x);

const swish = (list: LayerList, name: string, x: string): string =>
  list.add(name, { kind: "Activation", activation: "swish" }, x);
