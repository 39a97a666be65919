/**
 * @file The U-Net as Keras has it: its layers in the order in which they run, what each reads, and its weights under the
 * names they have here. What reads and writes the formats of other frameworks goes by this list, so that none of them
 * knows the network by itself; a test holds it against the network of `src/layers`.
 */

/** What a layer does; pixels, NHWC. */
export type LayerOperation =
  | { readonly kind: "ZeroPadding2D"; readonly padding: number }
  | {
      readonly kind: "Conv2D" | "Conv2DTranspose";
      readonly filters: number;
      readonly kernelSize: number;
      readonly strides: number;
      readonly padding: "same" | "valid";
      readonly useBias: boolean;
    }
  | { readonly kind: "BatchNormalization"; readonly epsilon: number }
  | { readonly kind: "ReLU" }
  | {
      readonly kind: "MaxPooling2D" | "AveragePooling2D";
      readonly poolSize: number;
      readonly strides: number;
    }
  /** Along the channels. */
  | { readonly kind: "Concatenate" }
  /** Twice the size, every pixel repeated 2×2. */
  | { readonly kind: "UpSampling2D" };

export type WeightRole = "kernel" | "bias" | "gamma" | "beta" | "moving_mean" | "moving_variance";

export interface LayerWeight {
  readonly role: WeightRole;
  /** Here, e.g. `conv1/bn/gamma`. */
  readonly name: string;
  /** HWIO of a convolution, HWOI of a transposed one, else `[channels]`. */
  readonly shape: readonly number[];
}

export interface KerasLayer {
  readonly name: string;
  /** The part of the tutorial's model that it belongs to; what joins the parts belongs to none. */
  readonly part: "encoder" | `upsample_${number}` | "head" | null;
  readonly operation: LayerOperation;
  /** Names of the layers it reads, or {@link INPUT}. */
  readonly inputs: readonly string[];
  /** In Keras's order. */
  readonly weights: readonly LayerWeight[];
  /** Channels of the result. */
  readonly channels: number;
  /** How many times smaller than the photo the result is. */
  readonly stride: number;
}

/** What the first layer reads: photos `[N, S, S, 3]`. */
export const INPUT = "image";

/** The layers of the encoder that the decoder reads, the deepest last. */
export const SKIP_LAYERS = ["conv1/relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"] as const;

export interface UnetLayersOptions {
  readonly classes: number;
  /** How the decoder doubles the size: pix2pix's transposed convolutions, or repeated pixels and a convolution. */
  readonly decoder: "transpose" | "nearest";
}

/** All layers of the U-Net, in order; the last one gives the logits `[N, S, S, classes]`. */
export function unetLayers({ classes, decoder }: UnetLayersOptions): KerasLayer[] {
  const list = new LayerList();
  encoder(list);
  let x: string = SKIP_LAYERS[4];
  [512, 256, 128, 64].forEach((filters, i) => {
    const name = `upsample_${i + 1}` as const;
    list.part = name;
    x = doubled(list, name, x, filters, { decoder, useBias: false });
    x = list.add(`${name}/batch_normalization`, { kind: "BatchNormalization", epsilon: 1e-3 }, x);
    x = list.add(`${name}/relu`, { kind: "ReLU" }, x);
    list.part = null;
    x = list.add(`concatenate_${i + 1}`, { kind: "Concatenate" }, x, SKIP_LAYERS[3 - i]);
  });
  list.part = "head";
  doubled(list, "head", x, classes, { decoder, useBias: true });
  return list.layers;
}

/** The layers of the encoder alone, to the last of {@link SKIP_LAYERS}. */
export function encoderLayers(): KerasLayer[] {
  const list = new LayerList();
  encoder(list);
  return list.layers;
}

/** DenseNet121 as `keras.applications.densenet` builds it. */
function encoder(list: LayerList): void {
  list.part = "encoder";
  const normalized = (name: string, x: string): string =>
    list.add(name, { kind: "BatchNormalization", epsilon: 1.001e-5 }, x);
  const conv = (name: string, x: string, kernelSize: number, filters: number, strides = 1): string => {
    const padding = strides === 1 ? "same" : "valid";
    return list.add(name, { kind: "Conv2D", filters, kernelSize, strides, padding, useBias: false }, x);
  };
  const relu = (name: string, x: string): string => list.add(name, { kind: "ReLU" }, x);

  let x = list.add("zero_padding2d_1", { kind: "ZeroPadding2D", padding: 3 }, INPUT);
  x = relu("conv1/relu", normalized("conv1/bn", conv("conv1/conv", x, 7, 64, 2)));
  x = list.add("zero_padding2d_2", { kind: "ZeroPadding2D", padding: 1 }, x);
  x = list.add("pool1", { kind: "MaxPooling2D", poolSize: 3, strides: 2 }, x);
  [6, 12, 24, 16].forEach((layers, block) => {
    for (let layer = 1; layer <= layers; layer++) {
      const name = `conv${block + 2}_block${layer}`;
      let y = relu(`${name}_0_relu`, normalized(`${name}_0_bn`, x));
      y = conv(`${name}_1_conv`, y, 1, 128);
      y = relu(`${name}_1_relu`, normalized(`${name}_1_bn`, y));
      y = conv(`${name}_2_conv`, y, 3, 32);
      x = list.add(`${name}_concat`, { kind: "Concatenate" }, x, y);
    }
    if (block === 3) {
      relu("relu", normalized("bn", x));
      return;
    }
    const name = `pool${block + 2}`;
    x = relu(`${name}_relu`, normalized(`${name}_bn`, x));
    x = conv(`${name}_conv`, x, 1, list.channels(x) / 2);
    x = list.add(`${name}_pool`, { kind: "AveragePooling2D", poolSize: 2, strides: 2 }, x);
  });
}

/** The layers that double the size; the head's bear its own name. */
function doubled(
  list: LayerList,
  name: string,
  x: string,
  filters: number,
  { decoder, useBias }: { decoder: UnetLayersOptions["decoder"]; useBias: boolean },
): string {
  const own = (layer: string): string => (useBias ? name : `${name}/${layer}`);
  const convolution = { filters, kernelSize: 3, padding: "same", useBias } as const;
  if (decoder === "transpose") {
    return list.add(own("conv2d_transpose"), { kind: "Conv2DTranspose", ...convolution, strides: 2 }, x);
  }
  const up = list.add(`${name}/up_sampling2d`, { kind: "UpSampling2D" }, x);
  return list.add(own("conv2d"), { kind: "Conv2D", ...convolution, strides: 1 }, up);
}

/** Layers as they are added, each with what follows from those before it. */
class LayerList {
  readonly layers: KerasLayer[] = [];
  part: KerasLayer["part"] = null;
  readonly #byName = new Map<string, Pick<KerasLayer, "channels" | "stride">>([
    [INPUT, { channels: 3, stride: 1 }],
  ]);

  channels(name: string): number {
    return this.#byName.get(name)!.channels;
  }

  /** Adds a layer and returns its name. */
  add(name: string, operation: LayerOperation, ...inputs: string[]): string {
    const read = inputs.map((input) => this.#byName.get(input)!);
    const sum = read.reduce((total, { channels }) => total + channels, 0);
    const channels = "filters" in operation ? operation.filters : sum;
    const layer: KerasLayer = {
      name,
      part: this.part,
      operation,
      inputs,
      weights: weightsOf(name, operation, sum),
      channels,
      stride: read[0].stride * scaleOf(operation),
    };
    this.layers.push(layer);
    this.#byName.set(name, layer);
    return name;
  }
}

/** How many times smaller an operation makes an image. */
function scaleOf(operation: LayerOperation): number {
  if (operation.kind === "UpSampling2D") return 1 / 2;
  if (operation.kind === "Conv2DTranspose") return 1 / operation.strides;
  return "strides" in operation ? operation.strides : 1;
}

function weightsOf(layer: string, operation: LayerOperation, inChannels: number): LayerWeight[] {
  const weight = (role: WeightRole, ...shape: number[]): LayerWeight => ({
    role,
    name: `${layer}/${role}`,
    shape,
  });
  if (operation.kind === "BatchNormalization") {
    const roles = ["gamma", "beta", "moving_mean", "moving_variance"] as const;
    return roles.map((role) => weight(role, inChannels));
  }
  if (operation.kind !== "Conv2D" && operation.kind !== "Conv2DTranspose") return [];
  const { filters, kernelSize, useBias, kind } = operation;
  const channels = kind === "Conv2D" ? [inChannels, filters] : [filters, inChannels];
  const kernel = weight("kernel", kernelSize, kernelSize, ...channels);
  return useBias ? [kernel, weight("bias", filters)] : [kernel];
}
