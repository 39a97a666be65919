/**
 * @file A network as data: its layers in the order in which they run, what each does, reads and learns. The graph, the
 * names and shapes of the weights, and every format of other frameworks follow from such a list.
 */

/** Height and width. */
export type Size = readonly [height: number, width: number];

/** Rows and columns at the four edges of an image. */
export interface Edges {
  /** Rows above. */
  readonly top: number;
  /** Rows below. */
  readonly bottom: number;
  /** Columns on the left. */
  readonly left: number;
  /** Columns on the right. */
  readonly right: number;
}

/** Keras's name of a function of one number; `softmax` is over the channels. */
export type Activation = "relu" | "relu6" | "swish" | "sigmoid" | "hard_swish" | "linear" | "softmax";

/** As TensorFlow's: `same` (uneven, the extra row and column at the bottom and right) or `valid` (nothing). */
export type Padding = "same" | "valid";

/** Padding that halves an image. */
export interface Halving {
  /** Side of the kernel of stride 2 that follows. */
  readonly halving: number;
}

/** `strides` alike both ways. */
interface Convolution<Kind extends string> {
  /** The Keras class. */
  readonly kind: Kind;
  /** Channels of the result. */
  readonly filters: number;
  /** Size of the kernel in pixels. */
  readonly kernelSize: Size;
  /** Pixels from one place of the kernel to the next; of a transposed convolution, of the result. */
  readonly strides: number;
  /** What lies around the image. */
  readonly padding: Padding;
  /** Whether there is a `bias`, one number a filter. */
  readonly useBias: boolean;
}

interface Pooling<Kind extends string> {
  /** The Keras class. */
  readonly kind: Kind;
  /** Side of a window in pixels. */
  readonly poolSize: number;
  /** Pixels from one window to the next. */
  readonly strides: number;
  /** What lies around the image. */
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
  /** Over the channels. */
  | {
      readonly kind: "BatchNormalization";
      /** Added to the variance. */
      readonly epsilon: number;
      /** Share of the moving statistics that a step keeps. */
      readonly momentum: number;
      /** Whether there is a gamma. */
      readonly scale: boolean;
    }
  | {
      readonly kind: "Activation";
      /** What is done to each number. */
      readonly activation: Activation;
    }
  | {
      readonly kind: "ZeroPadding2D";
      /**
       * Zeros at the edges. `halving` k: what Keras's `correct_pad` puts before a k×k kernel of stride 2 and `valid` padding. It
       * depends on whether the image it is given is even or odd; see `paddingOf`.
       */
      readonly padding: Edges | Halving;
    }
  | {
      readonly kind: "Cropping2D";
      /** What is cut off. */
      readonly cropping: Edges;
    }
  /** To the photo's size divided by `stride`: cropped, or padded with zeros, alike on both sides (what is odd, at the end). */
  | {
      readonly kind: "CenterCropOrPad";
      /** What the photo's size is divided by. */
      readonly stride: number;
    }
  | Pooling<"MaxPooling2D">
  | Pooling<"AveragePooling2D">
  | { readonly kind: "GlobalAveragePooling2D" }
  | {
      readonly kind: "Reshape";
      /** The shape without the photos' axis. */
      readonly target: readonly number[];
    }
  | {
      readonly kind: "Dense";
      /** Numbers of the result. */
      readonly units: number;
      /** What is done to each of them. */
      readonly activation: Activation;
    }
  | { readonly kind: "Add" }
  /** `[N, H, W, C]` by `[N, 1, 1, C]`. */
  | { readonly kind: "Multiply" }
  /** Along the channels. */
  | { readonly kind: "Concatenate" }
  /** Twice the size. */
  | {
      readonly kind: "UpSampling2D";
      /** Every pixel repeated 2×2, or bilinear with half-pixel centres. */
      readonly interpolation: "nearest" | "bilinear";
    }
  /** `x · scale + offset`. */
  | {
      readonly kind: "Rescaling";
      /** One number, or one a channel. */
      readonly scale: number | readonly number[];
      /** One number, or one a channel. */
      readonly offset: number | readonly number[];
    }
  /** `(x − mean) / √variance`. */
  | {
      readonly kind: "Normalization";
      /** One a channel. */
      readonly mean: readonly number[];
      /** One a channel. */
      readonly variance: readonly number[];
    }
  | {
      readonly kind: "Dropout";
      /** Share of what becomes 0. */
      readonly rate: number;
      /** Whether whole photos are dropped, not numbers (Keras: `noise_shape` `(None, 1, 1, 1)`). */
      readonly perPhoto: boolean;
    };

/** The Keras class of an operation; `CenterCropOrPad` is none of Keras's. */
export type LayerKind = LayerOperation["kind"];

/** The operation of one kind. */
export type OperationOf<Kind extends LayerKind> = Extract<LayerOperation, { readonly kind: Kind }>;

/** What a weight is to its layer, by Keras's name of it. */
export type WeightRole =
  | "kernel"
  | "depthwise_kernel"
  | "pointwise_kernel"
  | "bias"
  | "gamma"
  | "beta"
  | "moving_mean"
  | "moving_variance";

/** A weight that a layer has. */
export interface LayerWeight {
  /** What it is to the layer. */
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

/** A layer: its place in the network, what it does and what it has. */
export interface Layer {
  /** By which others read it and its weights are named; unique in the network. */
  readonly name: string;
  /** What it belongs to. */
  readonly part: LayerPart;
  /** What it does. */
  readonly operation: LayerOperation;
  /** Names of the layers it reads, or `image`, the photos. */
  readonly inputs: readonly string[];
  /** In Keras's order. */
  readonly weights: readonly LayerWeight[];
  /** Channels of the result. */
  readonly channels: number;
  /** How many times smaller than the photo the result is; where a padding is `valid`, about. */
  readonly stride: number;
}

/** What the first layer reads: photos `[N, H, W, 3]`. */
export const INPUT = "image";
