/**
 * @file What of a set of weights goes out: the network they belong to, as a list of layers, and its weights, complete
 * and of the right shapes. Every writer goes by it.
 */
import { assignWeights } from "./assign.ts";
import { DEFAULT_ENCODER } from "../layers/networks/encoders.ts";
import type { Layer } from "../layers/networks/layer.ts";
import { unetLayers } from "../layers/networks/unet.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

/** A network that is ready to be written. */
export interface WrittenNetwork {
  /** In the order in which they run. */
  readonly layers: readonly Layer[];
  /**
   * The layers whose results the model gives: the logits of a U-Net, the five skips of an encoder, or the
   * probabilities of an encoder with its top.
   */
  readonly outputs: readonly string[];
  /** In the order of the layers; nothing else, so no optimizer's slots. */
  readonly weights: NamedTensors;
  readonly metadata: Metadata;
  /** Side of the photos; null where it is not known. */
  readonly imageSize: number | null;
}

/** The weights that a U-Net has and its encoder does not, of either decoder. */
const DECODER_WEIGHTS: ReadonlySet<string> = new Set(
  (["transpose", "nearest"] as const)
    .flatMap((decoder) => unetLayers({ classes: 1, decoder }))
    .filter(({ part }) => part !== "encoder")
    .flatMap(({ weights }) => weights.map(({ name }) => name)),
);
/** What a checkpoint says of its run, and what the readers say of the file a network came from. */
const NOT_OF_THE_NETWORK = new Set([
  "state",
  ...["backend", "keras_version", "format", "generatedBy", "convertedBy"],
]);

/**
 * Finds out which network these weights are of, a U-Net with either decoder or its encoder with or without the
 * top, and takes them.
 *
 * @param options.source what the weights are called in messages
 * @param options.imageSize in place of what the metadata say
 * @throws {WeightsError} naming the tensor that is missing or misshapen, or an image size that is of no use
 */
export function writtenNetwork(
  { tensors, metadata: all }: { tensors: NamedTensors; metadata: Metadata },
  options: { source: string; imageSize?: number },
): WrittenNetwork {
  const { source } = options;
  const { layers, outputs, decoder } = layersOf(tensors, source);
  const expected = layers.flatMap(({ weights }) => weights);
  const { assigned } = assignWeights(expected, tensors, { source });
  const metadata = Object.fromEntries(Object.entries(all).filter(([key]) => !NOT_OF_THE_NETWORK.has(key)));
  // Who does not say it is taken to have the other one.
  if (decoder === "nearest") metadata.decoder = decoder;
  if (options.imageSize !== undefined) metadata.image_size = String(options.imageSize);
  return { layers, outputs, weights: assigned, metadata, imageSize: imageSizeOf(metadata, options) };
}

function layersOf(
  tensors: NamedTensors,
  source: string,
): Pick<WrittenNetwork, "layers" | "outputs"> & { decoder?: "transpose" | "nearest" } {
  if ([...tensors.keys()].some((name) => DECODER_WEIGHTS.has(name))) {
    const bias = tensors.get("head/bias");
    if (bias?.shape.length !== 1) {
      const what =
        bias === undefined ? `has no tensor "head/bias"` : `has a tensor "head/bias" of wrong shape`;
      throw new WeightsError(
        `The weights file ${source} ${what}, whose length is the number of classes; use weights saved from the same network.`,
      );
    }
    const decoder = tensors.has("upsample_1/conv2d/kernel") ? "nearest" : "transpose";
    return { layers: unetLayers({ classes: bias.shape[0], decoder }), outputs: ["head"], decoder };
  }
  const encoder = DEFAULT_ENCODER.layers();
  const top = tensors.get("fc1000/bias");
  if (top?.shape.length !== 1) return { layers: encoder, outputs: DEFAULT_ENCODER.taps };
  return { layers: [...encoder, ...DEFAULT_ENCODER.top(top.shape[0])], outputs: ["fc1000"] };
}

function imageSizeOf(
  { image_size: said }: Metadata,
  { source, imageSize }: { source: string; imageSize?: number },
): number | null {
  if (said === undefined) return null;
  const size = Number(said);
  if (Number.isInteger(size) && size >= 32 && size % 32 === 0) return size;
  const whose =
    imageSize === undefined ? `The image size of ${source}` : `The image size that ${source} is given`;
  throw new WeightsError(
    `${whose} is ${said}, but the encoder halves a photo five times: give a multiple of 32, 128 for example.`,
  );
}
