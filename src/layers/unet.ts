import type { Tensor } from "../graph/graph.ts";
import type { Images } from "../graph/lowering/conv2d-products.ts";
import { upsampleBlock, upsampleHead } from "./decoder.ts";
import type { Decoder } from "./decoder.ts";
import { denseNet121 } from "./densenet121.ts";
import type { DenseNet121 } from "./densenet121.ts";

/** Filters of the decoder's four upsample blocks, deepest first. */
const DECODER_FILTERS = [512, 256, 128, 64];

export interface UNetOptions {
  /** Classes to tell apart at each pixel. */
  readonly classes: number;
  /** A training step (batch statistics, moving averages) or an evaluation. */
  readonly training: boolean;
  /** Learn the encoder too; frozen, it costs no backward pass and keeps its statistics. */
  readonly trainableEncoder: boolean;
  /** Learn the decoder's upsample blocks too, as by default; frozen, they keep their statistics, and the head learns alone. */
  readonly trainableDecoder?: boolean;
  /** Of the batch norms' moving statistics; Keras's default is 0.99. */
  readonly momentum?: number;
  /** How the decoder doubles the size; `transpose`, pix2pix's, by default. */
  readonly decoder?: Decoder;
}

/** What the encoder hands to the decoder. */
export type Skips = DenseNet121["skips"];

/** The encoder's outputs by Keras layer name, with the stride and the channels of each; see {@link unetEncoder}. */
export const SKIPS: Readonly<Record<keyof Skips, { readonly stride: number; readonly channels: number }>> = {
  "conv1/relu": { stride: 2, channels: 64 },
  pool2_relu: { stride: 4, channels: 256 },
  pool3_relu: { stride: 8, channels: 512 },
  pool4_relu: { stride: 16, channels: 1024 },
  relu: { stride: 32, channels: 1024 },
};

/**
 * The U-Net of the pix2pix/segmentation tutorials of TensorFlow on a DenseNet121: four upsample blocks, each joined
 * with the encoder's output of its size, and a last one, without batch norm and ReLU, to the class logits.
 *
 * Its variables belong to the groups `encoder`, `decoder` and `head`.
 *
 * `image`: `[N, S, S, 3]` in [0, 1], S a multiple of 32. Returns logits `[N, S, S, classes]`.
 */
export function unet(image: Tensor, options: UNetOptions): Tensor {
  return unetDecoder(unetEncoder(image, options), options);
}

/**
 * The first half of {@link unet}: `image` `[N, S, S, 3]` becomes the five {@link SKIPS}, `[N, S/stride, S/stride, channels]`.
 */
export function unetEncoder(
  image: Tensor,
  { training, trainableEncoder, momentum = 0.99 }: Omit<UNetOptions, "classes" | "trainableDecoder">,
): Skips {
  return denseNet121(image, { training, trainable: trainableEncoder, group: "encoder", momentum }).skips;
}

/** Whether a variable of this group is one of {@link unetDecoder}: its upsample blocks are `decoder`, its last layer `head`. */
export const isDecoderGroup = (group: string | null): boolean => group === "decoder" || group === "head";

/** The second half of {@link unet}: the skips of N photos become logits `[N, S, S, classes]`. */
export function unetDecoder(
  skips: Skips,
  {
    classes,
    training,
    trainableDecoder: trainable = true,
    momentum = 0.99,
    decoder = "transpose",
  }: Omit<UNetOptions, "trainableEncoder">,
): Tensor {
  const joins = [skips.pool4_relu, skips.pool3_relu, skips.pool2_relu, skips["conv1/relu"]];
  const mode = { decoder, training, trainable, group: "decoder", momentum };
  let x: Images = skips.relu;
  DECODER_FILTERS.forEach((filters, i) => {
    x = [upsampleBlock(x, `upsample_${i + 1}`, filters, mode), joins[i]];
  });
  return upsampleHead(x, "head", classes, { ...mode, trainable: true, group: "head" });
}
