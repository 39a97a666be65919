/**
 * @file A network as data: its layers in the order in which they run, what each does, reads and learns. The graph, the
 * names and shapes of the weights, and every format of other frameworks follow from such a list.
 */

/** Height and width. */
export type Size = readonly [height: number, width: number];

/** Rows and columns at the four edges of an image. */
export interface Edges {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Keras's name of a function of one number; `softmax` is over the channels. */
export type Activation = "relu" | "relu6" | "swish" | "sigmoid" | "hard_swish" | "linear" | "softmax";

export type Padding = "same" | "valid";

/** `strides` alike both ways. */
interface Convolution<Kind extends string> {
  readonly kind: Kind;
  readonly filters: number;
  readonly kernelSize: Size;
  readonly strides: number;
  readonly padding: Padding;
  readonly useBias: boolean;
}

interface Pooling<Kind extends string> {
  readonly kind: Kind;
  readonly poolSize: number;
  readonly strides: number;
  readonly padding: Padding;
}

/** What a layer does; pixels, NHWC. Kinds and options have Keras's names. */
export type LayerOperation =
  | Convolution<"Conv2D">
  | Convolution<"Conv2DTranspose">
  /** One filter a channel. */
  | Omit<Convolution<"DepthwiseConv2D">, "filters">
  /** A depthwise convolution, then one of one pixel that mixes the channels. */
  | Convolution<"SeparableConv2D">
  /** Over the channels; without `scale` there is no gamma. `momentum` is the share of the moving statistics that a step keeps. */
  | {
      readonly kind: "BatchNormalization";
      readonly epsilon: number;
      readonly momentum: number;
      readonly scale: boolean;
    }
  | { readonly kind: "Activation"; readonly activation: Activation }
  /**
   * `halving` k: what Keras's `correct_pad` puts before a k×k kernel of stride 2 and `valid` padding. It depends on whether the
   * image it is given is even or odd; see `paddingOf`.
   */
  | { readonly kind: "ZeroPadding2D"; readonly padding: Edges | { readonly halving: number } }
  | { readonly kind: "Cropping2D"; readonly cropping: Edges }
  /** To the photo's size divided by `stride`: cropped, or padded with zeros, alike on both sides (what is odd, at the end). */
  | { readonly kind: "CenterCropOrPad"; readonly stride: number }
  | Pooling<"MaxPooling2D">
  | Pooling<"AveragePooling2D">
  | { readonly kind: "GlobalAveragePooling2D" }
  /** Without the photos' axis. */
  | { readonly kind: "Reshape"; readonly target: readonly number[] }
  | { readonly kind: "Dense"; readonly units: number; readonly activation: Activation }
  | { readonly kind: "Add" }
  /** `[N, H, W, C]` by `[N, 1, 1, C]`. */
  | { readonly kind: "Multiply" }
  /** Along the channels. */
  | { readonly kind: "Concatenate" }
  /** Twice the size: every pixel repeated 2×2, or bilinear with half-pixel centres. */
  | { readonly kind: "UpSampling2D"; readonly interpolation: "nearest" | "bilinear" }
  /** `x · scale + offset`, each one number or one a channel. */
  | {
      readonly kind: "Rescaling";
      readonly scale: number | readonly number[];
      readonly offset: number | readonly number[];
    }
  /** `(x − mean) / √variance`, one of each a channel. */
  | { readonly kind: "Normalization"; readonly mean: readonly number[]; readonly variance: readonly number[] }
  /** `perPhoto`: whole photos are dropped, not numbers (Keras: `noise_shape` `(None, 1, 1, 1)`). */
  | { readonly kind: "Dropout"; readonly rate: number; readonly perPhoto: boolean };

export type LayerKind = LayerOperation["kind"];

/** The operation of one kind. */
export type OperationOf<Kind extends LayerKind> = Extract<LayerOperation, { readonly kind: Kind }>;

export type WeightRole =
  | "kernel"
  | "depthwise_kernel"
  | "pointwise_kernel"
  | "bias"
  | "gamma"
  | "beta"
  | "moving_mean"
  | "moving_variance";

export interface LayerWeight {
  readonly role: WeightRole;
  /** Here, e.g. `conv1/bn/gamma`. */
  readonly name: string;
  /**
   * HWIO of a convolution, HWOI of a transposed one, `[h, w, C, 1]` of a depthwise one, `[in, out]` of a dense layer, else
   * `[channels]`.
   */
  readonly shape: readonly number[];
}

/**
 * What a layer belongs to: the encoder, a block of the decoder, the decoder's last layer, or an encoder's ImageNet top; what
 * joins the parts belongs to none.
 */
export type LayerPart = "encoder" | `upsample_${number}` | "head" | "top" | null;

export interface Layer {
  readonly name: string;
  readonly part: LayerPart;
  readonly operation: LayerOperation;
  /** Names of the layers it reads, or {@link INPUT}. */
  readonly inputs: readonly string[];
  /** In Keras's order. */
  readonly weights: readonly LayerWeight[];
  /** Channels of the result. */
  readonly channels: number;
  /** How many times smaller than the photo the result is; where a padding is `valid`, about. */
  readonly stride: number;
}

/** What the first layer reads: photos `[N, S, S, 3]`. */
export const INPUT = "image";
