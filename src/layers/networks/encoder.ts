import type { Layer } from "./layer.ts";
import { LayerList } from "./layer-list.ts";

/**
 * How `keras.applications` prepares pixels 0…255 for a network. `torch`: divided by 255, then ImageNet's mean and deviation;
 * `caffe`: BGR, less the mean of each channel; `tf`: −1…1; `inside`: not at all, the network's first layers do it.
 */
export type Preprocessing = "torch" | "caffe" | "tf" | "inside";

/** A file of weights trained on ImageNet, as `keras.applications` pins it. */
export interface PublishedWeights {
  /** Where it is downloaded from. */
  readonly url: string;
  /** Of the file, hexadecimal; null where Keras pins none. */
  readonly md5: string | null;
}

/** The two files of an encoder. */
export interface EncoderWeights {
  /** Without the classifier. */
  readonly noTop: PublishedWeights;
  /** With the classifier of the 1000 classes. */
  readonly withTop: PublishedWeights;
}

/** Where Keras has most of these files. */
export const KERAS_FILES = "https://storage.googleapis.com/tensorflow/keras-applications";

/** A network for ImageNet, without its top a decoder's other half. */
export interface Encoder {
  /** As `--encoder` has it. */
  readonly name: string;
  /** The function of `keras.applications` that makes it. */
  readonly title: string;
  /** What is done to pixels before the network sees them. */
  readonly preprocessing: Preprocessing;
  /** The side of the smallest photos that it takes. All sides are multiples of 32. */
  readonly smallestImage: number;
  /** The layers that a decoder reads, of strides 2, 4, 8, 16 and 32. */
  readonly taps: Taps;
  /** The encoder without its top, with Keras's names. */
  readonly layers: () => Layer[];
  /** The layers that follow {@link layers} in a classifier, ending with the probabilities of the classes: ImageNet's 1000, by default. */
  readonly top: (classes?: number) => Layer[];
  /** Trained on ImageNet; null until they are known. */
  readonly weights: EncoderWeights | null;
}

/** Names of five layers, the shallowest first. */
export type Taps = readonly [string, string, string, string, string];

export interface EncoderDefinition extends Omit<Encoder, "layers" | "top" | "smallestImage" | "weights"> {
  readonly smallestImage?: number;
  readonly weights?: Encoder["weights"] | undefined;
  /** Adds the encoder's layers and returns the name of the last. */
  readonly build: (list: LayerList) => string;
  /** Adds the layers from `x`, the last of the encoder, to the classes' probabilities. */
  readonly buildTop: (list: LayerList, x: string, classes: number) => void;
}

/** An encoder from the functions that write its layers. */
export function defineEncoder(definition: EncoderDefinition): Encoder {
  const { build, buildTop, smallestImage = 32, weights = null, ...rest } = definition;
  return {
    ...rest,
    smallestImage,
    weights,
    layers: () => {
      const list = new LayerList();
      list.part = "encoder";
      build(list);
      return list.layers;
    },
    top: (classes = 1000) => {
      const list = new LayerList();
      list.part = "encoder";
      const last = build(list);
      const before = list.layers.length;
      list.part = "top";
      buildTop(list, last, classes);
      return list.layers.slice(before);
    },
  };
}
