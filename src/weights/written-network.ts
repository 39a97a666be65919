/**
 * @file What of a set of weights goes out: the network they belong to, as a list of layers, and its weights, complete
 * and of the right shapes. Every writer goes by it.
 */
import { assignWeights } from "./assign.ts";
import { parseSize, printSize, toSize } from "../image-size.ts";
import type { ImageSize, Size } from "../image-size.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import { DEFAULT_ENCODER } from "../layers/networks/encoders.ts";
import type { Layer } from "../layers/networks/layer.ts";
import { skipLayers, unetLayers } from "../layers/networks/unet.ts";
import { DECODERS_BY_WEIGHTS } from "../layers/networks/decoder.ts";
import type { Decoder } from "../layers/networks/decoder.ts";
import { LIKELY_SHARE, likeliestEncoder } from "./match/encoder.ts";
import { sourceLayers } from "./match/source-layers.ts";
import { topLayer } from "./match/top.ts";
import { whichDecoder } from "./match/which-decoder.ts";
import { saidEncoder } from "./said-encoder.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

/** A network that is ready to be written. */
export interface WrittenNetwork {
  /** Whose layers they are, alone or in a U-Net. */
  readonly encoder: Encoder;
  /** In the order in which they run. */
  readonly layers: readonly Layer[];
  /**
   * The layers whose results the model gives: the logits of a U-Net, the five taps of an encoder and its last
   * layer, or the probabilities of an encoder with its top.
   */
  readonly outputs: readonly string[];
  /** In the order of the layers; nothing else, so no optimizer's slots. */
  readonly weights: NamedTensors;
  readonly metadata: Metadata;
  /** Of the photos; null where it is not known. */
  readonly imageSize: Size | null;
}

/** The weights that a U-Net has and its encoder does not, of any decoder. */
const DECODER_WEIGHTS: ReadonlySet<string> = new Set(
  DECODERS_BY_WEIGHTS.flatMap((decoder) => unetLayers({ classes: 1, decoder }))
    .filter(({ part }) => part !== "encoder")
    .flatMap(({ weights }) => weights.map(({ name }) => name)),
);
/** What a checkpoint says of its run, and what the readers say of the file a network came from. */
const NOT_OF_THE_NETWORK = new Set([
  "state",
  ...["backend", "keras_version", "format", "generatedBy", "convertedBy"],
]);

/**
 * Finds out which network these weights are of, a U-Net with any decoder or its encoder with or without the
 * top, and takes them.
 *
 * @param options.source what the weights are called in messages
 * @param options.imageSize in place of what the metadata say
 * @throws {WeightsError} naming the tensor that is missing or misshapen, or an image size that is of no use
 */
export function writtenNetwork(
  { tensors, metadata: all }: { tensors: NamedTensors; metadata: Metadata },
  options: { source: string; imageSize?: ImageSize },
): WrittenNetwork {
  const { source } = options;
  const encoder = saidEncoder(all, source) ?? encoderOf(tensors);
  const { layers, outputs, decoder } = layersOf(tensors, encoder, { source, decoder: all.decoder });
  const expected = layers.flatMap(({ weights }) => weights);
  const { assigned } = assignWeights(expected, tensors, { source });
  const metadata = Object.fromEntries(Object.entries(all).filter(([key]) => !NOT_OF_THE_NETWORK.has(key)));
  metadata.encoder = encoder.name;
  // Who does not say it is taken to have the first one.
  if (decoder !== "transpose" && decoder !== undefined) metadata.decoder = decoder;
  if (options.imageSize !== undefined) metadata.image_size = String(printSize(toSize(options.imageSize)));
  const imageSize = imageSizeOf(metadata, encoder, options);
  return { encoder, layers, outputs, weights: assigned, metadata, imageSize };
}

/** Whose weights these are, by their shapes. */
function encoderOf(tensors: NamedTensors): Encoder {
  const { layers } = sourceLayers([...tensors].map(([name, { shape }]) => ({ name, shape })));
  const { encoder, share } = likeliestEncoder(layers);
  return share < LIKELY_SHARE ? DEFAULT_ENCODER : encoder;
}

function layersOf(
  tensors: NamedTensors,
  encoder: Encoder,
  { source, decoder: said }: { source: string; decoder: string | undefined },
): Pick<WrittenNetwork, "layers" | "outputs"> & { decoder?: Decoder } {
  if ([...tensors.keys()].some((name) => DECODER_WEIGHTS.has(name))) {
    const bias = tensors.get("head/bias");
    if (bias?.shape.length !== 1) {
      const what =
        bias === undefined ? `has no tensor "head/bias"` : `has a tensor "head/bias" of wrong shape`;
      throw new WeightsError(
        `The weights file ${source} ${what}, whose length is the number of classes; use weights saved from the same network.`,
      );
    }
    const byWeights = tensors.has("upsample_1/conv2d/kernel") ? "nearest" : "transpose";
    const { decoder = byWeights } = whichDecoder(byWeights, { decoder: said });
    return { layers: unetLayers({ encoder, classes: bias.shape[0], decoder }), outputs: ["head"], decoder };
  }
  const { name } = topLayer(encoder);
  const top = tensors.get(`${name}/bias`);
  if (top?.shape.length === 1) {
    return { layers: [...encoder.layers(), ...encoder.top(top.shape[0])], outputs: [name] };
  }
  const layers = encoderLayers(tensors, encoder);
  // What follows the taps belongs to the encoder too, and a format may leave out what leads to no output.
  const last = layers.at(-1)!.name;
  return { layers, outputs: encoder.taps.includes(last) ? encoder.taps : [...encoder.taps, last] };
}

/** The encoder, as far as its taps need it where the weights of what follows them are not there. */
function encoderLayers(tensors: NamedTensors, encoder: Encoder): Layer[] {
  const all = encoder.layers();
  const names = new Set(skipLayers(encoder).map(({ name }) => name));
  const behind = all.filter((layer) => !names.has(layer.name)).flatMap(({ weights }) => weights);
  const isWhole = behind.length === 0 || behind.some(({ name }) => tensors.has(name));
  return isWhole ? all : all.filter(({ name }) => names.has(name));
}

function imageSizeOf(
  { image_size: said }: Metadata,
  { title, smallestImage }: Encoder,
  { source, imageSize }: { source: string; imageSize?: ImageSize },
): Size | null {
  if (said === undefined) return null;
  const size = parseSize(said);
  const fits = (side: number): boolean => side >= smallestImage && side % 32 === 0;
  if (size !== null && fits(size.height) && fits(size.width)) return size;
  const whose =
    imageSize === undefined ? `The image size of ${source}` : `The image size that ${source} is given`;
  const least = smallestImage > 32 ? ` of ${smallestImage} or more` : "";
  throw new WeightsError(
    `${whose} is ${said}, but ${title} halves a photo five times: give a multiple of 32${least}, 128 for example.`,
  );
}
