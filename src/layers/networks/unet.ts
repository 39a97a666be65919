/** @file The U-Net on any encoder, as a list of layers. */
import type { Encoder } from "./encoder.ts";
import { DEFAULT_ENCODER } from "./encoders.ts";
import { addHead, addUpsampleBlock } from "./decoder.ts";
import type { Decoder } from "./decoder.ts";
import type { Layer } from "./layer.ts";
import { LayerList, neededFor } from "./layer-list.ts";
import { sizesOf } from "./sizes.ts";

/** Which U-Net is listed. */
export interface UnetLayersOptions {
  /** Channels of the logits. */
  readonly classes: number;
  /** How it doubles the size. */
  readonly decoder: Decoder;
  /** DenseNet121 by default. */
  readonly encoder?: Encoder;
  /** Of the four upsample blocks, deepest first; 512, 256, 128 and 64 by default. */
  readonly decoderFilters?: readonly number[];
}

/** What an encoder hands to the decoder. */
export interface Skip {
  /** The layer that the decoder reads. */
  readonly name: string;
  /** The encoder's layer it is made of: itself, where that has the photo's size divided by the stride. */
  readonly tap: string;
  /** How many times smaller than the photo it is. */
  readonly stride: number;
  /** Channels of the image. */
  readonly channels: number;
}

/** Filters of the decoder's four upsample blocks, deepest first. */
const DECODER_FILTERS: readonly number[] = [512, 256, 128, 64];

/** What the decoder reads of an encoder, the shallowest first. */
export function skipsOf(encoder: Encoder): readonly Skip[] {
  const layers = encoder.layers();
  const fits = fitting(layers, encoder);
  return encoder.taps.map((tap, i): Skip => {
    const { channels } = layers.find(({ name }) => name === tap)!;
    return { name: fits.has(tap) ? tap : `center_crop_or_pad_${i + 1}`, tap, stride: 2 ** (i + 1), channels };
  });
}

/**
 * The layers that make the {@link Skip}s: the encoder's, without those that no tap needs, and what brings taps of other sizes
 * to the photo's size divided by their stride.
 */
export function skipLayers(encoder: Encoder): Layer[] {
  const list = new LayerList({ layers: neededFor(encoder.taps, encoder.layers()) });
  for (const { name, tap, stride } of skipsOf(encoder)) {
    if (name !== tap) list.add(name, { kind: "CenterCropOrPad", stride }, tap);
  }
  return list.layers;
}

/** All layers of the U-Net, in order; the last one gives the logits `[N, H, W, classes]`. */
export function unetLayers(options: UnetLayersOptions): Layer[] {
  const { encoder = DEFAULT_ENCODER } = options;
  return [...skipLayers(encoder), ...decoderLayers(options)];
}

/** The layers behind {@link skipLayers}. */
export function decoderLayers({
  classes,
  decoder,
  encoder = DEFAULT_ENCODER,
  decoderFilters = DECODER_FILTERS,
}: UnetLayersOptions): Layer[] {
  const before = skipLayers(encoder);
  const list = new LayerList({ layers: before });
  const skips = skipsOf(encoder);
  let x = skips[4].name;
  decoderFilters.forEach((filters, i) => {
    x = addUpsampleBlock(list, `upsample_${i + 1}`, x, { filters, decoder });
    list.part = null;
    x = list.add(`concatenate_${i + 1}`, { kind: "Concatenate" }, x, skips[3 - i].name);
  });
  addHead(list, x, { classes, decoder });
  return list.layers.slice(before.length);
}

/** The taps that have the photo's size divided by their stride, whatever size the photo has. */
function fitting(layers: readonly Layer[], { taps, smallestImage }: Encoder): Set<string> {
  const sides = [smallestImage, smallestImage + 32, smallestImage + 64];
  const sizes = sides.map((side) => ({ side, of: sizesOf(layers, [side, side]) }));
  const fits = (tap: string, stride: number): boolean =>
    sizes.every(({ side, of }) => of.get(tap)!.every((extent) => extent === side / stride));
  return new Set(taps.filter((tap, i) => fits(tap, 2 ** (i + 1))));
}
