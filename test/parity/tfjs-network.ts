import * as tf from "@tensorflow/tfjs-core";
import { input, layers as keras, model } from "@tensorflow/tfjs-layers";
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";
import { INPUT } from "../../src/layers/networks/layer.ts";
import type {
  Activation,
  Edges,
  Layer,
  LayerOperation,
  OperationOf,
  Size,
} from "../../src/layers/networks/layer.ts";
import { centering, paddingOf } from "../../src/layers/networks/sizes.ts";
import { bilinearTwice } from "./bilinear-twice.ts";

/** What a layer of tfjs does to symbolic tensors. */
interface Applicable {
  apply(inputs: SymbolicTensor | SymbolicTensor[]): unknown;
}

type Window = Pick<OperationOf<"Conv2D">, "kernelSize" | "strides" | "padding" | "useBias">;

interface WindowArgs {
  kernelSize: [number, number];
  strides: number;
  padding: Window["padding"];
  useBias: boolean;
}

/**
 * A list of layers as a model of tfjs's: layers have our names, weights are left to be assigned. What drops numbers at random drops
 * none here, so that results can be compared.
 *
 * @param inputs shapes without the batch of what layers read that are not in the list, by name
 */
export function tfjsNetwork(
  layers: readonly Layer[],
  inputs: Readonly<Record<string, readonly number[]>>,
  outputs: readonly string[],
): LayersModel {
  const made = new Map(Object.entries(inputs).map(([name, shape]) => [name, input({ shape: [...shape] })]));
  const given = [...made.values()];
  const [height, width] = inputs[INPUT] ?? [0, 0];
  for (const { name, operation, inputs: read } of layers) {
    const from = read.map((each) => made.get(each)!);
    const layer = layerFor(name, operation, from, [height, width]);
    made.set(name, layer ? (layer.apply(from.length === 1 ? from[0] : from) as SymbolicTensor) : from[0]);
  }
  return model({ inputs: given, outputs: outputs.map((name) => made.get(name)!) });
}

/** Null of a layer that changes nothing. */
function layerFor(
  name: string,
  operation: LayerOperation,
  [{ shape }]: readonly SymbolicTensor[],
  photo: Size,
): Applicable | null {
  const size: Size = [shape[1] ?? 1, shape[2] ?? 1];
  switch (operation.kind) {
    case "Conv2D":
      return keras.conv2d({ name, ...window(operation), filters: operation.filters });
    case "Conv2DTranspose":
      return keras.conv2dTranspose({ name, ...window(operation), filters: operation.filters });
    case "DepthwiseConv2D":
      return keras.depthwiseConv2d({ name, ...window(operation) });
    case "SeparableConv2D":
      return keras.separableConv2d({ name, ...window(operation), filters: operation.filters });
    case "BatchNormalization": {
      // Without a gamma tfjs cannot train: a network that has none leaves its ones as they are.
      const { epsilon, momentum } = operation;
      return keras.batchNormalization({ name, epsilon, momentum });
    }
    case "Activation":
      return keras.activation({ name, activation: known(operation.activation) });
    case "ZeroPadding2D":
      return padded(paddingOf(operation, size), name);
    case "Cropping2D":
      return cropped(operation.cropping, name);
    case "CenterCropOrPad": {
      const { stride } = operation;
      const { cropping, padding } = centering(size, [photo[0] / stride, photo[1] / stride]);
      return {
        apply: (x) =>
          padded(padding, `${name}_pad`).apply(cropped(cropping, name).apply(x) as SymbolicTensor),
      };
    }
    case "MaxPooling2D":
    case "AveragePooling2D": {
      const { kind, poolSize, strides, padding } = operation;
      if (kind === "AveragePooling2D" && padding === "same") return new SameAverage(name, poolSize, strides);
      const pooling = kind === "MaxPooling2D" ? keras.maxPooling2d : keras.averagePooling2d;
      return pooling({ name, poolSize, strides, padding });
    }
    case "GlobalAveragePooling2D":
      return keras.globalAveragePooling2d({ name });
    case "Reshape":
      return keras.reshape({ name, targetShape: [...operation.target] });
    case "Dense":
      return keras.dense({ name, units: operation.units, activation: known(operation.activation) });
    case "Add":
      return keras.add({ name });
    case "Multiply":
      return keras.multiply({ name });
    case "Concatenate":
      return keras.concatenate({ name });
    case "UpSampling2D":
      return operation.interpolation === "nearest"
        ? keras.upSampling2d({ name, size: [2, 2] })
        : new BilinearTwice({ name });
    case "Rescaling":
      return new Affine(name, operation.scale, operation.offset);
    case "Normalization": {
      const scale = operation.variance.map((variance) => 1 / Math.sqrt(variance));
      return new Affine(name, scale, operation.mean.map((mean, i) => -mean * scale[i])); // prettier-ignore
    }
    case "Dropout":
      return null;
  }
}

/** With half-pixel centres, as Keras has them: tfjs's own layer has none. */
class BilinearTwice extends keras.Layer {
  static readonly className = "BilinearTwice";

  override computeOutputShape([batch, height, width, channels]: number[]): number[] {
    return [batch, 2 * height, 2 * width, channels];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => bilinearTwice(Array.isArray(inputs) ? inputs[0] : inputs));
  }
}

/** `x · scale + offset`, each one number or one a channel: tfjs's own rescaling takes one number. */
class Affine extends keras.Layer {
  static readonly className = "Affine";
  readonly #scale: number | number[];
  readonly #offset: number | number[];

  constructor(name: string, scale: number | readonly number[], offset: number | readonly number[]) {
    super({ name });
    [this.#scale, this.#offset] = [scale, offset].map((value) =>
      typeof value === "number" ? value : [...value],
    );
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = Array.isArray(inputs) ? inputs : [inputs];
    return tf.tidy(() => tf.add(tf.mul(x, this.#scale), this.#offset));
  }
}

/**
 * Average pooling with `same` padding. tfjs's own divides by the pixels of the image in a window, and in its gradient by all
 * pixels of the window: this one pads with zeros, and divides by the share that is not padding.
 */
class SameAverage extends keras.Layer {
  static readonly className = "SameAverage";
  readonly #size: number;
  readonly #strides: number;

  constructor(name: string, size: number, strides: number) {
    super({ name });
    [this.#size, this.#strides] = [size, strides];
  }

  override computeOutputShape(shape: (number | null)[]): (number | null)[] {
    const [batch, height, width, channels] = shape;
    return [batch, Math.ceil(height! / this.#strides), Math.ceil(width! / this.#strides), channels];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = (Array.isArray(inputs) ? inputs : [inputs]) as tf.Tensor4D[];
    return tf.tidy(() => tf.div(this.#padded(x), this.#padded(tf.ones([1, x.shape[1], x.shape[2], 1]))));
  }

  #padded(x: tf.Tensor4D): tf.Tensor4D {
    const around = [1, 2].map((axis): [number, number] => {
      const total = Math.max(
        (Math.ceil(x.shape[axis] / this.#strides) - 1) * this.#strides + this.#size - x.shape[axis],
        0,
      );
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
    return tf.avgPool(tf.pad(x, [[0, 0], ...around, [0, 0]]), this.#size, this.#strides, "valid");
  }
}

function known(activation: Activation): Exclude<Activation, "hard_swish"> {
  if (activation === "hard_swish") throw new Error("tfjs has no activation hard_swish.");
  return activation;
}

/** The options of a convolution. */
const window = ({ kernelSize, strides, padding, useBias }: Window): WindowArgs => ({
  kernelSize: [...kernelSize],
  strides,
  padding,
  useBias,
});

const padded = ({ top, bottom, left, right }: Edges, name: string): Applicable =>
  keras.zeroPadding2d({ name, padding: [[top, bottom], [left, right]] }); // prettier-ignore

const cropped = ({ top, bottom, left, right }: Edges, name: string): Applicable =>
  keras.cropping2D({ name, cropping: [[top, bottom], [left, right]] }); // prettier-ignore
