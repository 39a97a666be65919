/**
 * @file The top of DenseNet121 as `keras.applications` puts it on the encoder: the mean of each channel and a dense layer
 * with softmax, whatever it is called (`fc1000`, today `predictions`) and however many classes it tells apart.
 */
import type { ConfigLayer } from "./keras-config.ts";
import type { SourceLayer } from "./source-layers.ts";

/** What the dense layer is called here. */
export const TOP = "fc1000";

const CHANNELS = 1024;

/**
 * The top in a model's configuration; undefined where what follows the encoder is something else.
 *
 * @param encoderEnds paths of the encoder's last layers, either of which may be read: older exports leave out the last ReLU
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
export function topByShape(rest: readonly SourceLayer[]): SourceLayer | undefined {
  return rest.length === 1 && mayBeTop(rest[0]) ? rest[0] : undefined;
}

/** Whether a layer has the shapes of the top, for any number of classes. */
export function mayBeTop({ kind, weights }: SourceLayer): boolean {
  if (kind !== "dense") return false;
  const [channels, classes] = weights.get("kernel")!.shape;
  return channels === CHANNELS && classes === weights.get("bias")!.shape[0];
}
