/** @file The U-Net on any encoder, as a list of layers. */
import type { Encoder } from "./encoder.ts";
import { DEFAULT_ENCODER } from "./encoders.ts";
import type { Layer, Size } from "./layer.ts";
import { LayerList } from "./layer-list.ts";
import { sizesOf } from "./sizes.ts";

/**
 * How a decoder doubles the size. `transpose`: pix2pix's 3×3 transposed convolution of stride 2. `nearest`: every pixel repeated
 * 2×2, then a 3×3 convolution of stride 1. Both with `same` padding and as many parameters.
 */
export type Decoder = "transpose" | "nearest";

export interface UnetLayersOptions {
  readonly classes: number;
  readonly decoder: Decoder;
  /** DenseNet121 by default. */
  readonly encoder?: Encoder;
}

/** What an encoder hands to the decoder. */
export interface Skip {
  /** The layer that the decoder reads. */
  readonly name: string;
  /** The encoder's layer it is made of: itself, where that has the photo's size divided by the stride. */
  readonly tap: string;
  readonly stride: number;
  readonly channels: number;
}

/** Filters of the decoder's four upsample blocks, deepest first. */
const DECODER_FILTERS = [512, 256, 128, 64];

/** What the decoder reads of an encoder, the shallowest first. */
export function skipsOf(encoder: Encoder): readonly Skip[] {
  const layers = encoder.layers();
  const fits = fitting(layers, encoder);
  return encoder.taps.map((tap, i): Skip => {
    const { channels } = layers.find(({ name }) => name === tap)!;
    return { name: fits.has(tap) ? tap : `skip_${i + 1}`, tap, stride: 2 ** (i + 1), channels };
  });
}

/**
 * The layers that make the {@link Skip}s: the encoder's, without those that no tap needs, and what brings taps of other sizes
 * to the photo's size divided by their stride.
 */
export function skipLayers(encoder: Encoder): Layer[] {
  const list = new LayerList(neededFor(encoder.taps, encoder.layers()));
  for (const { name, tap, stride } of skipsOf(encoder)) {
    if (name !== tap) list.add(name, { kind: "CenterCropOrPad", stride }, tap);
  }
  return list.layers;
}

/** All layers of the U-Net, in order; the last one gives the logits `[N, S, S, classes]`. */
export function unetLayers({ classes, decoder, encoder = DEFAULT_ENCODER }: UnetLayersOptions): Layer[] {
  const list = new LayerList(skipLayers(encoder));
  const skips = skipsOf(encoder);
  let x = skips[4].name;
  DECODER_FILTERS.forEach((filters, i) => {
    const name = `upsample_${i + 1}` as const;
    list.part = name;
    x = doubled(list, name, x, filters, { decoder, useBias: false });
    x = list.add(
      `${name}/batch_normalization`,
      { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.99, scale: true },
      x,
    );
    x = list.add(`${name}/relu`, { kind: "Activation", activation: "relu" }, x);
    list.part = null;
    x = list.add(`concatenate_${i + 1}`, { kind: "Concatenate" }, x, skips[3 - i].name);
  });
  list.part = "head";
  doubled(list, "head", x, classes, { decoder, useBias: true });
  return list.layers;
}

/** The taps that have the photo's size divided by their stride, whatever size the photo has. */
function fitting(layers: readonly Layer[], { taps, smallestImage }: Encoder): Set<string> {
  const sides = [smallestImage, smallestImage + 32, smallestImage + 64];
  const sizes = sides.map((side) => ({ side, of: sizesOf(layers, [side, side]) }));
  const fits = (tap: string, stride: number): boolean =>
    sizes.every(({ side, of }) => of.get(tap)!.every((extent) => extent === side / stride));
  return new Set(taps.filter((tap, i) => fits(tap, 2 ** (i + 1))));
}

/** The layers that some of them need, themselves included, in their order. */
function neededFor(names: readonly string[], layers: readonly Layer[]): Layer[] {
  const needed = new Set(names);
  for (const { name, inputs } of [...layers].reverse()) {
    if (needed.has(name)) inputs.forEach((input) => needed.add(input));
  }
  return layers.filter(({ name }) => needed.has(name));
}

/** The layers that double the size; the head's bear its own name. */
function doubled(
  list: LayerList,
  name: string,
  x: string,
  filters: number,
  { decoder, useBias }: { decoder: Decoder; useBias: boolean },
): string {
  const own = (layer: string): string => (useBias ? name : `${name}/${layer}`);
  const kernelSize: Size = [3, 3];
  const convolution = { filters, kernelSize, padding: "same", useBias } as const;
  if (decoder === "transpose") {
    return list.add(own("conv2d_transpose"), { kind: "Conv2DTranspose", ...convolution, strides: 2 }, x);
  }
  const up = list.add(`${name}/up_sampling2d`, { kind: "UpSampling2D" }, x);
  return list.add(own("conv2d"), { kind: "Conv2D", ...convolution, strides: 1 }, up);
}
