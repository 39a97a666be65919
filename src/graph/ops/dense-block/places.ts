/** @file Where the layers of a dense block find what they read and write: channels, batch norms and weights. */
import { allChannels } from "../../../kernels/text/channel-range.ts";
import type { ChannelRange } from "../../../kernels/text/channel-range.ts";
import { activationLoad } from "../../../kernels/conv2d/load.ts";
import type { TapFusion } from "../../../kernels/conv2d/tap-product.ts";
import { copyChannels } from "../../../kernels/copy-channels.ts";
import type { NormPlace } from "../../../kernels/fold-norm.ts";
import { NORM_PLANES, planesLength } from "../../../kernels/text/norm-planes.ts";
import type { Tensor } from "../../graph.ts";
import { slice } from "../../op.ts";
import type { BatchRange, Lowering } from "../../op.ts";
import type { TensorType } from "../../shape.ts";
import { channelsBefore, layerChannels } from "./shape.ts";
import type { DenseBlockShape } from "./shape.ts";

/** The batch norm before the first convolution of a layer, with statistics a channel of the block. */
export const firstNorm = (s: DenseBlockShape, layer: number, epsilon: number): NormPlace => ({
  channels: layerChannels(s, layer),
  statisticsBegin: 0,
  parametersBegin: channelsBefore(s, layer),
  normBegin: channelsBefore(s, layer),
  normSize: s.normed,
  epsilon,
});

/** The batch norm before the second convolution of a layer. */
export const secondNorm = (s: DenseBlockShape, layer: number, epsilon: number): NormPlace => ({
  channels: s.bottleneck,
  statisticsBegin: layer * s.bottleneck,
  parametersBegin: layer * s.bottleneck,
  normBegin: layer * s.bottleneck,
  normSize: s.middle,
  epsilon,
});

/** The planes of the first and the second batch norms of all layers. */
export const normTypes = (s: DenseBlockShape): [first: TensorType, second: TensorType] => [
  planes(s.normed),
  planes(s.middle),
];

const planes = (channels: number): TensorType => ({
  shape: [planesLength(NORM_PLANES, channels)],
  dtype: "f32",
});

/** The channels between the convolutions of a layer, in the tensor of those of all layers. */
export const middleRange = (s: DenseBlockShape, layer: number): ChannelRange => ({
  width: s.middle,
  begin: layer * s.bottleneck,
});

/** The channels that a layer adds. */
export const ownRange = (s: DenseBlockShape, layer: number): ChannelRange => ({
  width: s.outChannels,
  begin: layerChannels(s, layer),
});

/** How the first convolution of a layer loads its input and where its weights lie. */
export const firstFusion = (s: DenseBlockShape, layer: number): TapFusion => {
  const begin = channelsBefore(s, layer);
  return {
    load: activationLoad("x", 4, allChannels(s.outChannels), { size: s.normed, begin }),
    weightsBegin: begin * s.bottleneck,
  };
};

/** How the second one does, from the channels `range` of what lies between. */
export const secondFusion = (s: DenseBlockShape, layer: number, range: ChannelRange): TapFusion => ({
  load: activationLoad("x", 4, range, { size: s.middle, begin: layer * s.bottleneck }),
  weightsBegin: 9 * layer * s.bottleneck * s.growth,
});

/** Copies the block's input into the first channels of its output. */
export function copyInput(
  l: Lowering,
  s: DenseBlockShape,
  x: Tensor,
  y: Tensor,
  ranges: readonly BatchRange[],
): void {
  for (const range of ranges) {
    const rows = range.count * s.height * s.width;
    const kernel = copyChannels(
      l.target,
      rows,
      s.channels,
      allChannels(s.channels),
      allChannels(s.outChannels),
    );
    l.dispatch(kernel, { x: slice(x, range), y: slice(y, range) });
  }
}
