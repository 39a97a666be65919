/** @file How a decoder doubles an image's size: as pix2pix's code does it, or as the tutorial's prose tells it. */
import type { Size } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";

/**
 * `transpose`: a 3×3 transposed convolution of stride 2. `nearest`: every pixel repeated 2×2, then a 3×3 convolution of stride 1.
 * `bilinear`: twice the size by bilinear interpolation (half-pixel centres), then such a convolution. All with `same` padding and as
 * many parameters, those of `nearest` and `bilinear` under the same names.
 */
export type Decoder = (typeof DECODERS)[number];

/** All of them, what a network has that does not say it first. */
export const DECODERS = ["transpose", "nearest", "bilinear"] as const;

/** Of decoders that have the same weights, the one that a file has which does not say it. */
export const DECODERS_BY_WEIGHTS = ["transpose", "nearest"] as const satisfies Decoder[];

/**
 * Adds pix2pix `upsample(filters, 3)`: {@link Decoder} without bias, batch norm, ReLU. The kernel is
 * `<name>/conv2d_transpose/kernel` (HWOI) or `<name>/conv2d/kernel` (HWIO).
 *
 * @returns the last layer, of twice the size and `filters` channels
 */
export function addUpsampleBlock(
  list: LayerList,
  name: `upsample_${number}`,
  x: string,
  { filters, decoder }: { filters: number; decoder: Decoder },
): string {
  list.part = name;
  const own = decoder === "transpose" ? `${name}/conv2d_transpose` : `${name}/conv2d`;
  const doubled = addDoubling(list, name, x, { own, filters, decoder, useBias: false });
  const normalized = list.add(
    `${name}/batch_normalization`,
    { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.99, scale: true },
    doubled,
  );
  return list.add(`${name}/relu`, { kind: "Activation", activation: "relu" }, normalized);
}

/** Adds the last layer: {@link Decoder} with `head/kernel` and `head/bias`, to the logits of `classes` classes. */
export function addHead(
  list: LayerList,
  x: string,
  { classes, decoder }: { classes: number; decoder: Decoder },
): string {
  list.part = "head";
  return addDoubling(list, "head", x, { own: "head", filters: classes, decoder, useBias: true });
}

/** @param own the name of the convolution */
function addDoubling(
  list: LayerList,
  name: string,
  x: string,
  { own, decoder, ...rest }: { own: string; filters: number; decoder: Decoder; useBias: boolean },
): string {
  const kernelSize: Size = [3, 3];
  const convolution = { kernelSize, padding: "same", ...rest } as const;
  if (decoder === "transpose")
    return list.add(own, { kind: "Conv2DTranspose", ...convolution, strides: 2 }, x);
  const up = list.add(`${name}/up_sampling2d`, { kind: "UpSampling2D", interpolation: decoder }, x);
  return list.add(own, { kind: "Conv2D", ...convolution, strides: 1 }, up);
}
