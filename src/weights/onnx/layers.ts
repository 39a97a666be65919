/**
 * @file The layers of the network as ONNX operators. ONNX has channels first, so in here images are `[N, C, H, W]`.
 */
import type { Activation, Edges, Layer, LayerKind, OperationOf, Size } from "../../layers/networks/layer.ts";
import { affineOf } from "../match/preparation.ts";
import type { NamedTensors } from "../tensors.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { batchNormAffine, onnxKernel, type ChannelAffine } from "./kernel.ts";

type Of<Kind extends LayerKind> = Layer & { readonly operation: OperationOf<Kind> };
type Convolution = Of<"Conv2D"> | Of<"Conv2DTranspose"> | Of<"DepthwiseConv2D"> | Of<"SeparableConv2D">;
type Normalization = Of<"BatchNormalization">;

/** The tensor that a layer makes. */
export const tensorOf = (layer: string): string => `${layer}/nchw`;

/**
 * Adds the layers to a graph, each making the tensor {@link tensorOf} its name.
 *
 * @param layers of which none depends on the photos' size (see `resolvedLayers`)
 * @param options.outputs layers whose tensors there must be
 * @param options.foldBatchNorm batch norms that alone read a convolution become part of it
 */
export function addLayers(
  graph: GraphBuilder,
  layers: readonly Layer[],
  weights: NamedTensors,
  { outputs, foldBatchNorm = false }: { outputs: readonly string[]; foldBatchNorm?: boolean | undefined },
): void {
  const folded = foldBatchNorm ? foldable(layers, outputs) : new Map<string, Normalization>();
  const gone = new Set([...folded.values()].map(({ name }) => name));
  for (const layer of layers) {
    if (gone.has(layer.name)) continue;
    if (isConvolution(layer)) addConvolution(graph, layer, weights, folded.get(layer.name));
    else addLayer(graph, layer, weights);
  }
}

const isConvolution = (layer: Layer): layer is Convolution =>
  /Conv2D(Transpose)?$/.test(layer.operation.kind);

const isNormalization = (layer: Layer): layer is Normalization =>
  layer.operation.kind === "BatchNormalization";

/** The batch norms that are the only reader of a convolution, by its name. */
function foldable(layers: readonly Layer[], outputs: readonly string[]): Map<string, Normalization> {
  const pairs = new Map<string, Normalization>();
  for (const { name } of layers.filter(isConvolution)) {
    const readers = layers.filter(({ inputs }) => inputs.includes(name));
    if (readers.length === 1 && isNormalization(readers[0]) && !outputs.includes(name)) {
      pairs.set(name, readers[0]);
    }
  }
  return pairs;
}

/** Of a separable convolution it is the last of the two that has the bias, and that a batch norm becomes part of. */
function addConvolution(
  graph: GraphBuilder,
  layer: Convolution,
  weights: NamedTensors,
  norm: Normalization | undefined,
): void {
  const { name, operation, inputs, channels } = layer;
  const affine = norm && affineOfNorm(norm, weights);
  const bias = biasOf(layer, weights, affine);
  const output = tensorOf(norm?.name ?? name);
  const add = (
    kind: "Conv2D" | "Conv2DTranspose" | "DepthwiseConv2D",
    role: string,
    { to, from, isLast }: { to: string; from: string; isLast: boolean },
    window: Window,
  ): void => {
    const kernel = onnxKernel(weights.get(`${name}/${role}`)!, kind, isLast ? affine?.scale : undefined);
    const operands = [from, graph.floats(`${name}/${role}`, kernel.shape, kernel.data)];
    if (isLast && bias !== undefined) operands.push(graph.floats(`${name}/bias`, [channels], bias));
    graph.node(kind === "Conv2DTranspose" ? "ConvTranspose" : "Conv", to, operands, {
      ...windowAttributes(window),
      ...(kind === "DepthwiseConv2D" ? { group: { int: kernel.shape[0] } } : {}),
    });
  };
  const from = tensorOf(inputs[0]);
  switch (operation.kind) {
    case "Conv2D":
    case "Conv2DTranspose":
      add(operation.kind, "kernel", { to: output, from, isLast: true }, operation);
      return;
    case "DepthwiseConv2D":
      add(operation.kind, "depthwise_kernel", { to: output, from, isLast: true }, operation);
      return;
    case "SeparableConv2D": {
      const between = `${name}/depthwise`;
      add("DepthwiseConv2D", "depthwise_kernel", { to: between, from, isLast: false }, operation);
      const pixel = { kernelSize: [1, 1], strides: 1, padding: "valid" } as const;
      add("Conv2D", "pointwise_kernel", { to: output, from: between, isLast: true }, pixel);
    }
  }
}

function biasOf(
  { name, operation, channels }: Convolution,
  weights: NamedTensors,
  affine: ChannelAffine | undefined,
): Float32Array | undefined {
  if (!operation.useBias && affine === undefined) return undefined;
  const bias = operation.useBias ? weights.get(`${name}/bias`)!.data : new Float32Array(channels);
  return Float32Array.from(bias, (b, c) => (affine ? b * affine.scale[c] + affine.shift[c] : b));
}

interface Window {
  readonly kernelSize: Size;
  readonly strides: number;
  readonly padding: "same" | "valid";
}

/**
 * Where the size is a multiple of the stride, as it is wherever a network of ours pads, Keras pads by this much in all, the odd
 * one at the end; a transposed convolution is the gradient of such a one, and crops what it has padded.
 */
function windowAttributes({ kernelSize, strides, padding }: Window): {
  kernel_shape: { ints: Size };
  strides: { ints: Size };
  pads: { ints: number[] };
} {
  const over = kernelSize.map((extent) => (padding === "same" ? Math.max(extent - strides, 0) : 0));
  const pads = [...over.map((all) => Math.floor(all / 2)), ...over.map((all) => Math.ceil(all / 2))];
  return { kernel_shape: { ints: kernelSize }, strides: { ints: [strides, strides] }, pads: { ints: pads } };
}

/** The vectors of a batch norm, in the order in which ONNX takes them. */
function vectorsOf(
  { name, channels }: Normalization,
  weights: NamedTensors,
): [role: string, data: Float32Array][] {
  return ["gamma", "beta", "moving_mean", "moving_variance"].map((role) => {
    const data = weights.get(`${name}/${role}`)?.data ?? new Float32Array(channels).fill(1);
    return [role, data as Float32Array];
  });
}

function affineOfNorm(layer: Normalization, weights: NamedTensors): ChannelAffine {
  const [gamma, beta, moving_mean, moving_variance] = vectorsOf(layer, weights).map(([, data]) => data);
  return batchNormAffine({ gamma, beta, moving_mean, moving_variance }, layer.operation.epsilon);
}

function addLayer(graph: GraphBuilder, layer: Layer, weights: NamedTensors): void {
  const { name, operation, channels } = layer;
  const output = tensorOf(name);
  const inputs = layer.inputs.map(tensorOf);
  switch (operation.kind) {
    case "ZeroPadding2D": {
      const { top, bottom, left, right } = operation.padding as Edges;
      const pads = graph.ints(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right]);
      graph.node("Pad", output, [...inputs, pads]);
      return;
    }
    case "Cropping2D": {
      const { top, bottom, left, right } = operation.cropping;
      // An end of 0 would be the beginning.
      const ends = [bottom, right].map((edge) => (edge === 0 ? 2 ** 31 - 1 : -edge));
      const ranges = [graph.ints(`${name}/starts`, [top, left]), graph.ints(`${name}/ends`, ends)];
      graph.node("Slice", output, [...inputs, ...ranges, graph.ints(`${name}/axes`, [2, 3])]);
      return;
    }
    case "BatchNormalization": {
      const vectors = vectorsOf(layer as Normalization, weights).map(([role, data]) =>
        graph.floats(`${name}/${role}`, [channels], data),
      );
      const attributes = { epsilon: { float: operation.epsilon } };
      graph.node("BatchNormalization", output, [...inputs, ...vectors], attributes);
      return;
    }
    case "Activation":
      addActivation(graph, operation.activation, { name, input: inputs[0], output });
      return;
    case "MaxPooling2D":
    case "AveragePooling2D": {
      const { kind, poolSize, strides, padding } = operation;
      const window = windowAttributes({ kernelSize: [poolSize, poolSize], strides, padding });
      // What is padded does not count, in ONNX as in Keras.
      graph.node(kind === "MaxPooling2D" ? "MaxPool" : "AveragePool", output, inputs, window);
      return;
    }
    case "Concatenate":
      graph.node("Concat", output, inputs, { axis: { int: 1 } });
      return;
    case "Add":
      graph.node(inputs.length === 2 ? "Add" : "Sum", output, inputs);
      return;
    case "Multiply":
      graph.node("Mul", output, inputs);
      return;
    case "Rescaling":
    case "Normalization": {
      const { scale, offset } = affineOf(operation)!;
      const numbers = (part: string, values: readonly number[]): string =>
        graph.floats(`${name}/${part}`, [3, 1, 1], Float32Array.from(values));
      const scaled = graph.node("Mul", `${name}/scaled`, [...inputs, numbers("scale", scale)]);
      graph.node("Add", output, [scaled, numbers("offset", offset)]);
      return;
    }
    case "UpSampling2D": {
      const scales = graph.floats(`${name}/scales`, [4], Float32Array.of(1, 1, 2, 2));
      graph.node("Resize", output, [...inputs, "", scales], RESIZE[operation.interpolation]);
      return;
    }
    case "GlobalAveragePooling2D":
      graph.node("Flatten", output, [graph.node("GlobalAveragePool", `${name}/mean`, inputs)]);
      return;
    case "Reshape": {
      // `[N, C]` becomes one pixel of as many channels; 0 is the extent that there is.
      graph.node("Reshape", output, [...inputs, graph.ints(`${name}/shape`, [0, channels, 1, 1])]);
      return;
    }
    case "Dropout":
      graph.node("Identity", output, inputs);
      return;
    case "Dense": {
      const operands = layer.weights.map((weight) =>
        graph.floats(weight.name, weight.shape, weights.get(weight.name)!.data as Float32Array),
      );
      const logits = graph.node("Gemm", `${name}/logits`, [...inputs, ...operands]);
      addActivation(graph, operation.activation, { name, input: logits, output });
      return;
    }
    default:
      throw new Error(`The layer "${name}" (${operation.kind}) must have been resolved.`);
  }
}

const RESIZE = {
  nearest: {
    mode: { string: "nearest" },
    coordinate_transformation_mode: { string: "asymmetric" },
    nearest_mode: { string: "floor" },
  },
  bilinear: { mode: { string: "linear" }, coordinate_transformation_mode: { string: "half_pixel" } },
} as const;

function addActivation(
  graph: GraphBuilder,
  activation: Activation,
  { name, input, output }: { name: string; input: string; output: string },
): void {
  switch (activation) {
    case "relu6": {
      const limits = [0, 6].map((limit) => graph.floats(`${name}/${limit}`, [], Float32Array.of(limit)));
      graph.node("Clip", output, [input, ...limits]);
      return;
    }
    case "swish":
      graph.node("Mul", output, [input, graph.node("Sigmoid", `${name}/sigmoid`, [input])]);
      return;
    case "softmax":
      graph.node("Softmax", output, [input], { axis: { int: 1 } });
      return;
    default:
      graph.node(OPERATORS[activation], output, [input]);
  }
}

const OPERATORS = { relu: "Relu", sigmoid: "Sigmoid", hard_swish: "HardSwish", linear: "Identity" } as const;
