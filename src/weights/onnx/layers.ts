/**
 * @file The layers of the network as ONNX operators. ONNX has channels first, so in here images are `[N, C, H, W]`.
 */
import type { NamedTensors } from "../tensors.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import { WeightsError } from "../weights-error.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { batchNormAffine, onnxKernel, type ChannelAffine } from "./kernel.ts";

type Of<Kind> = Layer & { readonly operation: Extract<Layer["operation"], { kind: Kind }> };
type Convolution = Of<"Conv2D" | "Conv2DTranspose">;
type Normalization = Of<"BatchNormalization">;

/** The tensor that a layer makes. */
export const tensorOf = (layer: string): string => `${layer}/nchw`;

/**
 * Adds the layers to a graph, each making the tensor {@link tensorOf} its name.
 *
 * @param foldBatchNorm batch norms that alone read a convolution become part of it
 */
export function addLayers(
  graph: GraphBuilder,
  layers: readonly Layer[],
  weights: NamedTensors,
  { foldBatchNorm = false }: { foldBatchNorm?: boolean },
): void {
  const folded = foldBatchNorm ? foldable(layers) : new Map<string, Normalization>();
  const gone = new Set([...folded.values()].map(({ name }) => name));
  for (const layer of layers) {
    if (gone.has(layer.name)) continue;
    if (isConvolution(layer)) addConvolution(graph, layer, weights, folded.get(layer.name));
    else addLayer(graph, layer, weights);
  }
}

const isConvolution = (layer: Layer): layer is Convolution =>
  layer.operation.kind === "Conv2D" || layer.operation.kind === "Conv2DTranspose";

const isNormalization = (layer: Layer): layer is Normalization =>
  layer.operation.kind === "BatchNormalization";

/** The batch norms that are the only reader of a convolution, by its name. */
function foldable(layers: readonly Layer[]): Map<string, Normalization> {
  const pairs = new Map<string, Normalization>();
  for (const { name } of layers.filter(isConvolution)) {
    const readers = layers.filter(({ inputs }) => inputs.includes(name));
    if (readers.length === 1 && isNormalization(readers[0])) pairs.set(name, readers[0]);
  }
  return pairs;
}

function addConvolution(
  graph: GraphBuilder,
  { name, operation, inputs }: Convolution,
  weights: NamedTensors,
  norm: Normalization | undefined,
): void {
  const { kind, kernelSize, strides, padding, useBias, filters } = operation;
  const affine = norm && affineOf(norm, weights);
  const kernel = onnxKernel(weights.get(`${name}/kernel`)!, kind, affine?.scale);
  const operands = [tensorOf(inputs[0]), graph.floats(`${name}/kernel`, kernel.shape, kernel.data)];
  if (useBias || affine) {
    const bias = useBias ? weights.get(`${name}/bias`)!.data : new Float32Array(filters);
    const raised = Float32Array.from(bias, (b, c) => (affine ? b * affine.scale[c] + affine.shift[c] : b));
    operands.push(graph.floats(`${name}/bias`, [filters], raised));
  }
  // Where the size is a multiple of the stride, Keras pads by this much in all, the odd one at the end; a
  // transposed convolution is the gradient of such a one, and crops what it has padded.
  const over = kernelSize.map((extent) => (padding === "same" ? Math.max(extent - strides, 0) : 0));
  const pads = [...over.map((all) => Math.floor(all / 2)), ...over.map((all) => Math.ceil(all / 2))];
  graph.node(kind === "Conv2D" ? "Conv" : "ConvTranspose", tensorOf(norm?.name ?? name), operands, {
    kernel_shape: { ints: kernelSize },
    strides: { ints: [strides, strides] },
    pads: { ints: pads },
  });
}

function affineOf({ name, operation }: Normalization, weights: NamedTensors): ChannelAffine {
  const values = (role: string): ArrayLike<number> => weights.get(`${name}/${role}`)!.data;
  const roles = ["gamma", "beta", "moving_mean", "moving_variance"] as const;
  const [gamma, beta, moving_mean, moving_variance] = roles.map(values);
  return batchNormAffine({ gamma, beta, moving_mean, moving_variance }, operation.epsilon);
}

function addLayer(graph: GraphBuilder, layer: Layer, weights: NamedTensors): void {
  const { name, operation } = layer;
  const output = tensorOf(name);
  const inputs = layer.inputs.map(tensorOf);
  const constants = (): string[] =>
    layer.weights.map((weight) =>
      graph.floats(weight.name, weight.shape, weights.get(weight.name)!.data as Float32Array),
    );
  switch (operation.kind) {
    case "ZeroPadding2D": {
      if ("halving" in operation.padding) throw notYet(layer);
      const { top, bottom, left, right } = operation.padding;
      const pads = graph.ints(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right]);
      graph.node("Pad", output, [...inputs, pads]);
      return;
    }
    case "BatchNormalization":
      graph.node("BatchNormalization", output, [...inputs, ...constants()], {
        epsilon: { float: operation.epsilon },
      });
      return;
    case "Activation":
      if (operation.activation !== "relu") throw notYet(layer);
      graph.node("Relu", output, inputs);
      return;
    case "MaxPooling2D":
    case "AveragePooling2D": {
      const { kind, poolSize, strides } = operation;
      graph.node(kind === "MaxPooling2D" ? "MaxPool" : "AveragePool", output, inputs, {
        kernel_shape: { ints: [poolSize, poolSize] },
        strides: { ints: [strides, strides] },
      });
      return;
    }
    case "Concatenate":
      graph.node("Concat", output, inputs, { axis: { int: 1 } });
      return;
    case "UpSampling2D": {
      const scales = graph.floats(`${name}/scales`, [4], Float32Array.of(1, 1, 2, 2));
      graph.node("Resize", output, [...inputs, "", scales], {
        mode: { string: "nearest" },
        coordinate_transformation_mode: { string: "asymmetric" },
        nearest_mode: { string: "floor" },
      });
      return;
    }
    case "GlobalAveragePooling2D":
      graph.node("Flatten", output, [graph.node("GlobalAveragePool", `${name}/mean`, inputs)]);
      return;
    case "Dense":
      graph.node("Softmax", output, [graph.node("Gemm", `${name}/logits`, [...inputs, ...constants()])]);
      return;
    default:
      throw notYet(layer);
  }
}

function notYet({ name, operation }: Layer): WeightsError {
  return new WeightsError(`The layer "${name}" (${operation.kind}) cannot be written as ONNX yet.`);
}
