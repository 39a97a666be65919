/**
 * @file What `import … from "bespoke/networks"` gives: the encoders of `keras.applications`, the U-Net on any of them, and
 * networks of one's own as lists of layers. Imports nothing of Node's.
 */

// The U-Net and its encoders.
export { encode } from "./layers/encoder.ts";
export type { EncoderOptions, EncoderResult } from "./layers/encoder.ts";
export { isDecoderGroup, skipsOf, unet, unetDecoder, unetEncoder } from "./layers/unet.ts";
export type { Skips, UNetOptions } from "./layers/unet.ts";

// Networks as lists of layers.
export { buildLayers } from "./layers/networks/build.ts";
export type { BuildOptions } from "./layers/networks/build.ts";
export type { DropoutSource } from "./layers/networks/dropout-source.ts";
export type { Decoder } from "./layers/networks/decoder.ts";
export type { Encoder, EncoderWeights } from "./layers/networks/encoder.ts";
export { encoderNamed, ENCODERS } from "./layers/networks/encoders.ts";
export type { Layer, LayerOperation, LayerWeight } from "./layers/networks/layer.ts";
export { LayerList } from "./layers/networks/layer-list.ts";
export { unetLayers } from "./layers/networks/unet.ts";
export type { Skip, UnetLayersOptions } from "./layers/networks/unet.ts";
