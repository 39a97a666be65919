/** @file The channels of a dense block, and how its parameters lie in their stacks. */
import { conv2dGeometry } from "../../../kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../../kernels/conv2d/geometry.ts";
import type { Tensor } from "../../graph.ts";
import { shapeText } from "../../shape.ts";

export interface DenseBlockSize {
  readonly layers: number;
  /** Channels that each layer adds; a multiple of 4. */
  readonly growth: number;
  /** Channels between a layer's two convolutions; a multiple of 4. */
  readonly bottleneck: number;
}

/** A {@link DenseBlockSize} on images `[batch, height, width, channels]`. */
export interface DenseBlockShape extends DenseBlockSize {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** Channels of the block's input. */
  readonly channels: number;
  /** Channels of its output. */
  readonly outChannels: number;
  /** Channels between the convolutions, of all layers. */
  readonly middle: number;
  /** Channels that the first batch norms of all layers have together. */
  readonly normed: number;
}

/** Channels that layer `layer` (from 0) reads. */
export const layerChannels = ({ channels, growth }: DenseBlockShape, layer: number): number =>
  channels + layer * growth;

/** Channels that all layers before `layer` read together: where its own begin in stacks of first batch norms. */
export const channelsBefore = ({ channels, growth }: DenseBlockShape, layer: number): number =>
  layer * channels + (growth * layer * (layer - 1)) / 2;

/** @throws Error when `x` is not NHWC, or a number of channels is not a multiple of 4. */
export function denseBlockShape(x: Tensor, size: DenseBlockSize): DenseBlockShape {
  const { layers, growth, bottleneck } = size;
  if (x.shape.length !== 4) {
    throw new Error(`denseBlock: "${x.name}" ${shapeText(x.shape)} must be [N, H, W, C].`);
  }
  const [batch, height, width, channels] = x.shape;
  for (const [what, count] of Object.entries({ channels, growth, bottleneck })) {
    if (count % 4 === 0) continue;
    throw new Error(`denseBlock: ${what} must be a multiple of 4, not ${count}: use a plain block instead.`);
  }
  const base = { ...size, batch, height, width, channels };
  const shape = { ...base, outChannels: channels + layers * growth, middle: layers * bottleneck, normed: 0 };
  return { ...shape, normed: channelsBefore(shape, layers) };
}

/** The first convolution of a layer, 1×1, for `batch` images. */
export const firstConv = (s: DenseBlockShape, layer: number, batch: number): Conv2dGeometry =>
  geometry(s, batch, 1, layerChannels(s, layer), s.bottleneck);

/** The second convolution of a layer, 3×3. */
export const secondConv = (s: DenseBlockShape, batch: number): Conv2dGeometry =>
  geometry(s, batch, 3, s.bottleneck, s.growth);

const geometry = (
  { height, width }: DenseBlockShape,
  batch: number,
  size: number,
  from: number,
  to: number,
): Conv2dGeometry =>
  conv2dGeometry([batch, height, width, from], [size, size, from, to], { strides: 1, padding: "same" });
