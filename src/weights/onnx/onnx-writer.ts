import type { Size } from "../../image-size.ts";
import { writeFileAtomically, type AtomicWriteOptions } from "../../files/atomic-write.ts";
import { INPUT } from "../../layers/networks/layer.ts";
import { sizesOf } from "../../layers/networks/sizes.ts";
import { resolvedLayers } from "../resolved-layers.ts";
import { WeightsError } from "../weights-error.ts";
import type { WrittenNetwork } from "../written-network.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { addLayers, tensorOf } from "./layers.ts";
import { encodeModel, type OnnxModel, type OnnxValue } from "./model.ts";
import { addLabels, addPreparation, PHOTOS } from "./photos.ts";

export interface OnnxOptions {
  /** Bytes of photos of any size go in, labels come out; not by default. */
  readonly embed?: boolean;
  /** Batch norms that follow a convolution become part of it; not by default. */
  readonly foldBatchNorm?: boolean;
}

/** The first in which `Resize` takes the axes it is about; of 2022. */
const OPSET = 18;
const IR_VERSION = 8;

/**
 * Writes an ONNX model: `image` `[N, H, W, 3]`, what the network takes, becomes `logits` `[N, H, W, classes]` (of an
 * encoder: its skips by their layers' names, or with its top `probabilities`). With `embed`, `photos` `[N, height,
 * width, 3]` of bytes become `labels` `[N, H, W]`. N may be any; H and W may be where the metadata do not say it.
 *
 * @throws {FileError} where the file cannot be written or may not be replaced, or the network has no labels or no
 *   size to embed; the signal's reason when it is aborted
 */
export async function writeOnnx(
  path: string,
  network: WrittenNetwork,
  options: OnnxOptions & AtomicWriteOptions,
): Promise<void> {
  await writeFileAtomically(path, encodeModel(onnxModel(network, options)).chunks, options);
}

/** The model that {@link writeOnnx} writes. */
export function onnxModel(network: WrittenNetwork, { embed = false, foldBatchNorm }: OnnxOptions): OnnxModel {
  const graph = new GraphBuilder();
  const input = embed ? addPhotos(graph, network) : addImage(graph, network);
  const { weights, outputs: names } = network;
  addLayers(graph, resolvedLayers(network), weights, { outputs: names, foldBatchNorm });
  const outputs = embed
    ? [addLabels(graph, tensorOf(network.outputs[0]), sizeToEmbed(network))]
    : addOutputs(graph, network);
  const { nodes, initializers } = graph;
  const name = outputs.length === 1 ? "unet" : "encoder";
  return {
    irVersion: IR_VERSION,
    opset: OPSET,
    producer: "bespoke",
    graph: { name, nodes, initializers, inputs: [input], outputs },
    metadata: network.metadata,
  };
}

function addPhotos(graph: GraphBuilder, network: WrittenNetwork): OnnxValue {
  const { resize = "stretch" } = network.metadata;
  if (resize !== "stretch") {
    throw new WeightsError(
      `The network takes photos that were resized by ${resize}, and --embed only stretches them: leave it out, and prepare photos ` +
        "before the model.",
    );
  }
  addPreparation(graph, tensorOf(INPUT), sizeToEmbed(network), network.metadata.normalization);
  return PHOTOS;
}

function addImage(graph: GraphBuilder, network: WrittenNetwork): OnnxValue {
  graph.node("Transpose", tensorOf(INPUT), [INPUT], { perm: { ints: [0, 3, 1, 2] } });
  return { name: INPUT, type: "float32", shape: ["N", ...extents(network, INPUT), 3] };
}

function sizeToEmbed({ layers, imageSize }: WrittenNetwork): Size {
  if (layers.at(-1)!.part !== "head") {
    throw new WeightsError(
      "An encoder gives no labels, so nothing can be embedded in it: give a whole network.",
    );
  }
  if (imageSize !== null) return imageSize;
  throw new WeightsError(
    "The size that photos are to be resized to is not known: give it with --image-size, 128 for example.",
  );
}

/** The network's results as the model gives them: channels last, under names for users. */
function addOutputs(graph: GraphBuilder, network: WrittenNetwork): OnnxValue[] {
  const { layers, outputs } = network;
  const results = layers.filter(({ name }) => outputs.includes(name));
  return results.map(({ name, operation, channels }) => {
    if (operation.kind === "Dense") {
      const probabilities = graph.node("Identity", "probabilities", [tensorOf(name)]);
      return { name: probabilities, type: "float32", shape: ["N", channels] };
    }
    const output = name === "head" ? "logits" : name;
    graph.node("Transpose", output, [tensorOf(name)], { perm: { ints: [0, 2, 3, 1] } });
    return { name: output, type: "float32", shape: ["N", ...extents(network, name), channels] };
  });
}

/** Height and width of a layer's result. */
function extents({ layers, imageSize }: WrittenNetwork, name: string): (number | string)[] {
  if (imageSize !== null) return [...sizesOf(layers, [imageSize.height, imageSize.width]).get(name)!];
  // Large enough that no other size divides it as evenly.
  const [side] = sizesOf(layers, [UNKNOWN, UNKNOWN]).get(name)!;
  const stride = UNKNOWN / side;
  return ["height", "width"].map((extent) => {
    if (!Number.isInteger(stride)) return `${extent} of ${name}`;
    return stride === 1 ? extent : `${extent}/${stride}`;
  });
}

/** Stands for a size that is not known. */
const UNKNOWN = 2 ** 12;
