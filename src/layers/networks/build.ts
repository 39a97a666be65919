/** @file Makes the graph of a list of layers. */
import type { Graph, Tensor } from "../../graph/graph.ts";
import type { Images } from "../../graph/lowering/taps.ts";
import { activation } from "../../graph/ops/activation.ts";
import { addN } from "../../graph/ops/add-n.ts";
import { affineConstants } from "../../graph/ops/affine-constants.ts";
import { batchNormInference, batchNormTraining } from "../../graph/ops/batch-norm.ts";
import { biasAdd } from "../../graph/ops/bias.ts";
import { concat } from "../../graph/ops/concat.ts";
import { conv2dTranspose } from "../../graph/ops/conv2d-transpose.ts";
import { conv2d } from "../../graph/ops/conv2d.ts";
import { depthwiseConv2d } from "../../graph/ops/depthwise-conv2d.ts";
import { dense } from "../../graph/ops/dense.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import type { Momentum } from "../../graph/ops/moving-statistics.ts";
import { multiplyChannels } from "../../graph/ops/multiply-channels.ts";
import { crop2d, zeroPad2d } from "../../graph/ops/pad2d.ts";
import { averagePool2d, globalAveragePool2d, maxPool2d } from "../../graph/ops/pool.ts";
import { relu } from "../../graph/ops/relu.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { softmax } from "../../graph/ops/softmax.ts";
import { upsampleBilinear2x } from "../../graph/ops/upsample-bilinear2x.ts";
import { upsampleNearest2x } from "../../graph/ops/upsample-nearest2x.ts";
import { upsampledConv2d } from "../../graph/ops/upsampled-conv2d.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { Padding } from "../../kernels/text/window.ts";
import { maskOf } from "./dropout-source.ts";
import type { DropoutSource } from "./dropout-source.ts";
import type { Activation, Edges, Layer, LayerOperation, LayerPart, OperationOf, Size } from "./layer.ts";
import { INPUT } from "./layer.ts";
import { neededFor } from "./layer-list.ts";
import { isPointwise, readsUpsampled, takesPadding, takesPair } from "./neighbours.ts";
import { centering, paddingOf } from "./sizes.ts";
import { LayerVariables } from "./variables.ts";

/** What of a list of layers becomes part of a graph, and how. */
export interface BuildOptions {
  /** The layers whose results are wanted; what none of them needs is not built. */
  readonly outputs: readonly string[];
  /** The program is a training step. */
  readonly training: boolean;
  /** Whether the layers of a part are learned; a part that is not runs as it does when the network is used. */
  readonly trainable: (part: LayerPart) => boolean;
  /**
   * Whether the batch norms of a part that is learned normalize by their moving statistics and leave them as they are, as Keras's do
   * that are called with `training=False`; by the batch's without.
   */
  readonly keepsStatistics?: (part: LayerPart) => boolean;
  /** Share of their moving statistics that batch norms keep in a step; each layer's own without. */
  readonly momentum?: Momentum | undefined;
  /** What makes batch norms that normalize by the batch; `batchNormTraining` by default. */
  readonly batchNorm?: typeof batchNormTraining | undefined;
  /** What decides what dropout drops. A training step needs it where a layer that is learned drops. */
  readonly dropout?: DropoutSource | undefined;
}

/**
 * Adds layers to the graph of the tensors that they read. Every variable has the name and the shape that the list says.
 *
 * Some neighbours become one op, with the same results: a batch norm and the ReLU that alone reads it; zero padding and the
 * window that alone reads it; upsampling and the convolution that alone reads it; two concatenated images and the transposed
 * convolution, or the upsampling with its convolution, that alone reads them. An average pooling that alone reads a convolution of
 * 1×1 is done before it: they commute, and the convolution has fewer pixels.
 *
 * @param inputs what layers read that are not in the list, by name
 * @returns the tensors of `outputs`, by name
 * @throws Error when a layer does not fit what it reads
 */
export function buildLayers(
  layers: readonly Layer[],
  inputs: Readonly<Record<string, Tensor>>,
  options: BuildOptions,
): Record<string, Tensor> {
  const build = new Build(neededFor(options.outputs, layers), inputs, options);
  return Object.fromEntries(options.outputs.map((name) => [name, build.tensor(name)]));
}

/** What a layer has made: images, two of them perhaps still to be joined, and zeros perhaps still to be put around them. */
interface Value {
  readonly images: Images;
  readonly padding?: Edges;
}

class Build {
  readonly #graph: Graph;
  readonly #variables: LayerVariables;
  readonly #options: BuildOptions;
  readonly #values = new Map<string, Value>();
  /** What reads each layer. */
  readonly #readers = new Map<string, Layer[]>();

  constructor(layers: readonly Layer[], inputs: Readonly<Record<string, Tensor>>, options: BuildOptions) {
    this.#graph = Object.values(inputs)[0].graph;
    this.#options = options;
    for (const [name, images] of Object.entries(inputs)) this.#values.set(name, { images });
    for (const layer of layers) {
      for (const input of layer.inputs)
        this.#readers.set(input, [...(this.#readers.get(input) ?? []), layer]);
    }
    this.#variables = new LayerVariables(this.#graph, layers, options.trainable);
    for (const layer of layers) this.#add(layer);
  }

  /** The result of a layer. */
  tensor(name: string): Tensor {
    const { images, padding } = this.#value(name);
    return padding === undefined ? joined(images) : zeroPad2d(joined(images), padding);
  }

  #value(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`There is no "${name}" to read.`);
    return value;
  }

  #add(layer: Layer): void {
    // It was added with the one before.
    if (this.#values.has(layer.name)) return;
    const readers = this.#options.outputs.includes(layer.name) ? [] : (this.#readers.get(layer.name) ?? []);
    const both = readers.length === 1 ? this.#together(layer, readers[0]) : undefined;
    if (both !== undefined) this.#values.set(readers[0].name, { images: both });
    else this.#values.set(layer.name, this.#alone(layer, readers));
  }

  /** The result of a layer's only reader, where both are one op or change places. */
  #together(layer: Layer, reader: Layer): Tensor | undefined {
    const { operation: first, inputs } = layer;
    const { operation: second } = reader;
    if (
      first.kind === "BatchNormalization" &&
      second.kind === "Activation" &&
      second.activation !== "softmax"
    )
      return this.#batchNorm(layer, first, second.activation);
    if (first.kind === "Conv2D" && isPointwise(first) && second.kind === "AveragePooling2D")
      return this.#convolution(layer, first, this.#window(inputs[0], second), "valid");
    if (first.kind === "UpSampling2D" && second.kind === "Conv2D" && readsUpsampled(second)) {
      const { images } = this.#value(inputs[0]);
      return upsampledConv2d(images, this.#variables.of(reader, "kernel"), {
        interpolation: first.interpolation,
        bias: this.#bias(reader, second),
      });
    }
    return undefined;
  }

  /** @param readers all of them, or none where the layer is asked for */
  #alone(layer: Layer, readers: readonly Layer[]): Value {
    const { operation, inputs } = layer;
    const isReadBy = (test: (operation: LayerOperation) => boolean): boolean =>
      readers.length > 0 && readers.every((reader) => test(reader.operation));
    if (operation.kind === "ZeroPadding2D" && isReadBy(takesPadding)) {
      const images = this.tensor(inputs[0]);
      return { images, padding: paddingOf(operation, sizeOfImages(images)) };
    }
    if (operation.kind === "Concatenate" && inputs.length === 2 && isReadBy(takesPair))
      return { images: [this.tensor(inputs[0]), this.tensor(inputs[1])] };
    return { images: this.#result(layer, operation) };
  }

  #result(layer: Layer, operation: LayerOperation): Tensor {
    const [input] = layer.inputs;
    switch (operation.kind) {
      case "Conv2D": {
        const { images, padding = operation.padding } = this.#value(input);
        return this.#convolution(layer, operation, joined(images), padding);
      }
      case "Conv2DTranspose": {
        const { strides, padding } = operation;
        return conv2dTranspose(this.#value(input).images, this.#variables.of(layer, "kernel"), {
          strides,
          padding,
          bias: this.#bias(layer, operation),
        });
      }
      case "DepthwiseConv2D": {
        const bias = this.#bias(layer, operation);
        const y = this.#depthwise(layer, operation);
        return bias ? biasAdd(y, bias) : y;
      }
      case "SeparableConv2D": {
        const kernel = this.#variables.of(layer, "pointwise_kernel");
        const bias = this.#bias(layer, operation);
        return conv2d(this.#depthwise(layer, operation), kernel, { strides: 1, padding: "valid", bias });
      }
      case "BatchNormalization":
        return this.#batchNorm(layer, operation);
      case "Activation":
        return activated(this.tensor(input), operation.activation);
      case "MaxPooling2D":
      case "AveragePooling2D":
        return this.#window(input, operation);
      case "GlobalAveragePooling2D":
        return globalAveragePool2d(this.tensor(input));
      case "Dense": {
        const y = dense(
          this.tensor(input),
          this.#variables.of(layer, "kernel"),
          this.#variables.of(layer, "bias"),
        );
        return activated(y, operation.activation);
      }
      case "Dropout": {
        const { rate, perPhoto } = operation;
        const options = this.#isLearning(layer.part)
          ? { rate, perPhoto, ...maskOf(this.#options.dropout, layer.name) }
          : null;
        return options === null ? this.tensor(input) : dropout(this.tensor(input), options);
      }
      case "Reshape":
        return reshape(this.tensor(input), [this.tensor(input).shape[0], ...operation.target]);
      case "ZeroPadding2D":
        return zeroPad2d(this.tensor(input), paddingOf(operation, sizeOfImages(this.tensor(input))));
      case "Cropping2D":
        return crop2d(this.tensor(input), operation.cropping);
      case "CenterCropOrPad":
        return this.#centered(this.tensor(input), operation.stride);
      case "Rescaling":
        return affineConstants(this.tensor(input), operation.scale, operation.offset);
      case "Normalization": {
        const scale = operation.variance.map((variance) => 1 / Math.sqrt(variance));
        const offset = operation.mean.map((mean, channel) => -mean * scale[channel]);
        return affineConstants(this.tensor(input), scale, offset);
      }
      case "Add":
        return addN(layer.inputs.map((name) => this.tensor(name)));
      case "Multiply":
        return multiplyChannels(this.tensor(input), this.tensor(layer.inputs[1]));
      case "Concatenate":
        return concat(layer.inputs.map((name) => this.tensor(name)));
      case "UpSampling2D":
        return (operation.interpolation === "nearest" ? upsampleNearest2x : upsampleBilinear2x)(
          this.tensor(input),
        );
    }
  }

  /** Of the photo's size divided by `stride`, around the centre. */
  #centered(x: Tensor, stride: number): Tensor {
    const [height, width] = sizeOfImages(this.tensor(INPUT));
    const { cropping, padding } = centering(sizeOfImages(x), [height / stride, width / stride]);
    return zeroPad2d(crop2d(x, cropping), padding);
  }

  #convolution(layer: Layer, operation: OperationOf<"Conv2D">, x: Tensor, padding: Padding): Tensor {
    const { strides } = operation;
    const bias = this.#bias(layer, operation);
    return conv2d(x, this.#variables.of(layer, "kernel"), { strides, padding, bias });
  }

  #depthwise(layer: Layer, { strides, padding }: OperationOf<"DepthwiseConv2D" | "SeparableConv2D">): Tensor {
    const value = this.#value(layer.inputs[0]);
    const kernel = this.#variables.of(layer, "depthwise_kernel");
    return depthwiseConv2d(joined(value.images), kernel, { strides, padding: value.padding ?? padding });
  }

  #bias(layer: Layer, { useBias }: { readonly useBias: boolean }): Tensor | undefined {
    return useBias ? this.#variables.of(layer, "bias") : undefined;
  }

  #window(
    input: string,
    { kind, poolSize, strides, padding }: OperationOf<"MaxPooling2D" | "AveragePooling2D">,
  ): Tensor {
    const value = this.#value(input);
    const pool = kind === "MaxPooling2D" ? maxPool2d : averagePool2d;
    return pool(joined(value.images), { poolSize, strides, padding: value.padding ?? padding });
  }

  #batchNorm(
    layer: Layer,
    { epsilon, momentum }: OperationOf<"BatchNormalization">,
    activation?: ActivationKind,
  ): Tensor {
    const roles = ["gamma", "beta", "moving_mean", "moving_variance"] as const;
    const [gamma, beta, mean, variance] = roles.map((role) => this.#variables.of(layer, role));
    const x = this.tensor(layer.inputs[0]);
    const { momentum: kept = momentum, keepsStatistics, batchNorm = batchNormTraining } = this.#options;
    if (!this.#isLearning(layer.part) || keepsStatistics?.(layer.part))
      return batchNormInference(x, gamma, beta, mean, variance, { epsilon, activation });
    return batchNorm(x, gamma, beta, mean, variance, { epsilon, momentum: kept, activation });
  }

  #isLearning(part: LayerPart): boolean {
    return this.#options.training && this.#options.trainable(part);
  }
}

const joined = (images: Images): Tensor => ("graph" in images ? images : concat(images));

const sizeOfImages = ({ shape: [, height, width] }: Tensor): Size => [height, width];

function activated(x: Tensor, kind: Activation): Tensor {
  if (kind === "softmax") return softmax(x);
  return kind === "relu" ? relu(x) : activation(x, kind);
}
