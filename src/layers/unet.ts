import type { Tensor } from "../graph/graph.ts";
import { buildLayers } from "./networks/build.ts";
import type { BuildOptions } from "./networks/build.ts";
import { DEFAULT_ENCODER } from "./networks/encoders.ts";
import { checkImage } from "./networks/image-size.ts";
import { INPUT } from "./networks/layer.ts";
import { decoderLayers, skipLayers, skipsOf } from "./networks/unet.ts";
import type { UnetLayersOptions } from "./networks/unet.ts";

export { skipsOf } from "./networks/unet.ts";

/** How a U-Net is built. */
export interface UNetOptions
  extends
    Pick<UnetLayersOptions, "classes" | "encoder" | "decoderFilters">,
    Pick<BuildOptions, "momentum" | "batchNorm" | "dropout"> {
  /** A training step (batch statistics, moving averages) or an evaluation. */
  readonly training: boolean;
  /** Learn the encoder too; frozen, it costs no backward pass and keeps its statistics. */
  readonly trainableEncoder: boolean;
  /**
   * By what the encoder's batch norms normalize while it learns: the statistics of the batch (the default), or their moving ones, which
   * then stay as they are.
   */
  readonly encoderStatistics?: "batch" | "moving" | undefined;
  /** Learn the decoder's upsample blocks too, as by default; frozen, they keep their statistics, and the head learns alone. */
  readonly trainableDecoder?: boolean;
  /** How the decoder doubles the size; `transpose`, pix2pix's, by default. */
  readonly decoder?: UnetLayersOptions["decoder"];
}

/** What the encoder hands to the decoder, by the names of `skipsOf`. */
export type Skips = Readonly<Record<string, Tensor>>;

/**
 * The U-Net of the pix2pix/segmentation tutorials of TensorFlow on any encoder: four upsample blocks, each joined with the
 * encoder's output of its size, and a last one, without batch norm and ReLU, to the class logits.
 *
 * Its variables belong to the groups `encoder`, `decoder` and `head`.
 *
 * `image`: `[N, H, W, 3]`, H and W multiples of 32. Returns logits `[N, H, W, classes]`.
 *
 * @throws Error when the encoder does not take images of this size, or drops in training and `dropout` is missing.
 */
export function unet(image: Tensor, options: UNetOptions): Tensor {
  return unetDecoder(unetEncoder(image, options), options);
}

/**
 * The first half of {@link unet}: `image` `[N, H, W, 3]` becomes the skips of `skipsOf`, `[N, H/stride, W/stride, channels]`.
 *
 * @throws Error as {@link unet} does.
 */
export function unetEncoder(
  image: Tensor,
  {
    training,
    trainableEncoder,
    encoderStatistics = "batch",
    momentum,
    batchNorm,
    dropout,
    encoder = DEFAULT_ENCODER,
  }: Pick<
    UNetOptions,
    | ("training" | "trainableEncoder" | "encoderStatistics" | "momentum")
    | ("batchNorm" | "dropout" | "encoder")
  >,
): Skips {
  checkImage(encoder, [image.shape[1], image.shape[2]]);
  const outputs = skipsOf(encoder).map(({ name }) => name);
  const trainable = (): boolean => trainableEncoder;
  const keepsStatistics = (): boolean => encoderStatistics === "moving";
  const options = { outputs, training, trainable, keepsStatistics, momentum, batchNorm, dropout };
  return buildLayers(skipLayers(encoder), { [INPUT]: image }, options);
}

/** Whether a variable of this group is one of {@link unetDecoder}: its upsample blocks are `decoder`, its last layer `head`. */
export const isDecoderGroup = (group: string | null): boolean => group === "decoder" || group === "head";

/**
 * The second half of {@link unet}: the skips of N photos become logits `[N, H, W, classes]`.
 *
 * @throws Error when a skip is missing, or does not fit the others.
 */
export function unetDecoder(
  skips: Skips,
  {
    training,
    trainableDecoder = true,
    momentum,
    batchNorm,
    decoder = "transpose",
    ...network
  }: Omit<UNetOptions, "trainableEncoder">,
): Tensor {
  const layers = decoderLayers({ ...network, decoder });
  const [output] = layers.slice(-1).map(({ name }) => name);
  const options = {
    outputs: [output],
    training,
    trainable: (part: string | null): boolean => part === "head" || trainableDecoder,
    momentum,
    batchNorm,
  };
  return buildLayers(layers, skips, options)[output];
}
