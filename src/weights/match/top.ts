/**
 * @file The top of an encoder as `keras.applications` puts it there: the mean of each channel and a dense layer with softmax,
 * whatever it is called (`fc1000`, `predictions`) and however many classes it tells apart.
 */
import type { Encoder } from "../../layers/networks/encoder.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import type { ConfigLayer } from "./keras-config.ts";
import type { SourceLayer } from "./source-layers.ts";

/** The dense layer of an encoder's top, which has all of its weights. */
export const topLayer = (encoder: Encoder, classes?: number): Layer =>
  encoder.top(classes).find(({ operation }) => operation.kind === "Dense")!;

/**
 * The top in a model's configuration; undefined where what follows the encoder is something else.
 *
 * @param encoderEnds paths of the encoder's last layers, any of which may be read: older exports leave out the last ReLU
 */
export function topInConfig(
  layers: readonly ConfigLayer[],
  encoderEnds: readonly (string | undefined)[],
): ConfigLayer | undefined {
  const pool = layers.find(
    ({ className, inputs }) => className === "GlobalAveragePooling2D" && encoderEnds.includes(inputs[0]),
  );
  return layers.find(
    ({ className, config, inputs }) =>
      className === "Dense" && inputs[0] === pool?.path && config.activation === "softmax",
  );
}

/** The top among the layers that are not the encoder's; undefined unless it is all that is left. */
export function topByShape(rest: readonly SourceLayer[], encoder: Encoder): SourceLayer | undefined {
  return rest.length === 1 && mayBeTop(rest[0], encoder) ? rest[0] : undefined;
}

/** Whether a layer has the shapes of the top, for any number of classes. */
export function mayBeTop({ kind, weights }: SourceLayer, encoder: Encoder): boolean {
  if (kind !== "dense") return false;
  const [channels, classes] = weights.get("kernel")!.shape;
  return channels === topLayer(encoder).weights[0].shape[0] && classes === weights.get("bias")!.shape[0];
}
