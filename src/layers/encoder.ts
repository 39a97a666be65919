import type { Tensor } from "../graph/graph.ts";
import { buildLayers } from "./networks/build.ts";
import type { BuildOptions } from "./networks/build.ts";
import type { Encoder } from "./networks/encoder.ts";
import { INPUT } from "./networks/layer.ts";
import type { Layer } from "./networks/layer.ts";
import { checkImage } from "./networks/image-size.ts";

/** How an encoder is built. */
export interface EncoderOptions extends Pick<BuildOptions, "training" | "momentum" | "dropout"> {
  /**
   * Whether it is learned. A frozen encoder costs no backward pass; its batch norms run in inference mode even while training and leave
   * their moving statistics alone (Keras: `trainable = False`).
   */
  readonly trainable: boolean;
  /** Whether to end in the 1000 classes of ImageNet. */
  readonly top?: boolean;
}

/** What an encoder makes of a batch of images. */
export interface EncoderResult {
  /** What a decoder taps, by Keras layer name, of about the strides 2, 4, 8, 16 and 32. */
  readonly taps: Readonly<Record<string, Tensor>>;
  /** Logits of the 1000 ImageNet classes, `[N, 1000]`, when asked for (Keras applies a softmax to them). */
  readonly top: Tensor | null;
}

/**
 * An encoder as `keras.applications` builds it, layer names included.
 *
 * @param image `[N, H, W, 3]`, prepared as the encoder's `preprocessing` says
 * @throws Error when H or W is not a multiple of 32, or too small
 */
export function encode(
  image: Tensor,
  encoder: Encoder,
  { top = false, momentum, dropout, training, trainable }: EncoderOptions,
): EncoderResult {
  checkImage(encoder, [image.shape[1], image.shape[2]]);
  const classifier = top ? encoder.top().map(withoutSoftmax) : [];
  const last = classifier.at(-1)?.name;
  const tensors = buildLayers(
    [...encoder.layers(), ...classifier],
    { [INPUT]: image },
    {
      outputs: last === undefined ? encoder.taps : [...encoder.taps, last],
      training,
      trainable: () => trainable,
      momentum,
      dropout,
    },
  );
  const taps = Object.fromEntries(encoder.taps.map((tap) => [tap, tensors[tap]]));
  return { taps, top: last === undefined ? null : tensors[last] };
}

function withoutSoftmax(layer: Layer): Layer {
  const { operation } = layer;
  return operation.kind === "Dense" ? { ...layer, operation: { ...operation, activation: "linear" } } : layer;
}
