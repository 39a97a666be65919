import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { toSize } from "../../src/image-size.ts";
import type { ImageSize } from "../../src/image-size.ts";
import type { Encoder } from "../../src/layers/networks/encoder.ts";
import { INPUT } from "../../src/layers/networks/layer.ts";
import { decoderLayers, skipLayers, skipsOf } from "../../src/layers/networks/unet.ts";
import { tfjsNetwork } from "./tfjs-network.ts";

/** The U-Net in two models, because tfjs can run an encoder in inference mode only by predicting with it. */
export interface TfjsUNet {
  /** From the image to the skips. */
  readonly encoder: LayersModel;
  /** From the skips to the logits. */
  readonly decoder: LayersModel;
  dispose(): void;
}

export interface TfjsUNetOptions {
  readonly encoder: Encoder;
  readonly imageSize: ImageSize;
  readonly classes: number;
}

/** The U-Net with a pix2pix decoder as tfjs-layers has it. Every weight takes the numbers that `read` has for its name. */
export function buildTfjsUNet(
  { encoder: network, imageSize, classes }: TfjsUNetOptions,
  read: (name: string) => Float32Array | number[] | undefined,
): TfjsUNet {
  const skips = skipsOf(network);
  const names = skips.map(({ name }) => name);
  const { height, width } = toSize(imageSize);
  const encoder = tfjsNetwork(skipLayers(network), { [INPUT]: [height, width, 3] }, names);
  const sizes = Object.fromEntries(
    skips.map(({ name, stride, channels }) => [name, [height / stride, width / stride, channels]]),
  );
  const decoder = tfjsNetwork(decoderLayers({ encoder: network, classes, decoder: "transpose" }), sizes, [
    "head",
  ]);
  const gammasOfTheirOwn = new Set(
    skipLayers(network)
      .filter(({ operation }) => operation.kind === "BatchNormalization" && !operation.scale)
      .map(({ name }) => `${name}/gamma`),
  );
  for (const weight of [...encoder.weights, ...decoder.weights]) {
    const numbers = read(weight.originalName);
    if (numbers === undefined && gammasOfTheirOwn.has(weight.originalName)) continue;
    if (numbers === undefined) throw new Error(`There is no variable "${weight.originalName}".`);
    const value = tf.tensor(numbers, weight.shape as number[]);
    weight.write(value);
    value.dispose();
  }
  const dispose = (): void => {
    encoder.dispose();
    decoder.dispose();
  };
  return { encoder, decoder, dispose };
}
