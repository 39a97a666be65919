import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model } from "@tensorflow/tfjs-layers";
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";
import { outputOf } from "./tfjs-densenet.ts";

/** Deepest first, as the decoder takes them. */
const SKIPS = ["relu", "pool4_relu", "pool3_relu", "pool2_relu", "conv1/relu"];
const FILTERS = [512, 256, 128, 64];

/** The U-Net in two models, because tfjs can run an encoder in inference mode only by predicting with it. */
export interface TfjsUNet {
  /** From the image to the skips, deepest first. */
  readonly encoder: LayersModel;
  /** From the skips to the logits. */
  readonly decoder: LayersModel;
  dispose(): void;
}

/**
 * The U-Net as tfjs-layers has it: `whole`, a DenseNet121 (with or without its top, its weights still to be assigned) and a pix2pix
 * decoder. Its layers are named as our variables are, and every weight takes the numbers that `read` has for its name.
 */
export async function buildTfjsUNet(
  whole: LayersModel,
  classes: number,
  read: (name: string) => Promise<Float32Array | number[]>,
): Promise<TfjsUNet> {
  const encoder = model({ inputs: whole.inputs, outputs: SKIPS.map((name) => outputOf(whole, name)) });
  const skips = encoder.outputs.map(({ shape }) => input({ shape: shape.slice(1) }));
  const transposed = { kernelSize: 3, strides: 2, padding: "same" } as const;

  let x = skips[0];
  FILTERS.forEach((filters, i) => {
    const name = `upsample_${i + 1}`;
    const convolution = layers.conv2dTranspose({
      ...transposed,
      filters,
      useBias: false,
      name: `${name}/conv2d_transpose`,
    });
    const norm = layers.batchNormalization({ epsilon: 1e-3, name: `${name}/batch_normalization` });
    const upsampled = layers.reLU().apply(norm.apply(convolution.apply(x)));
    x = layers.concatenate().apply([upsampled as SymbolicTensor, skips[i + 1]]) as SymbolicTensor;
  });
  const head = layers.conv2dTranspose({ ...transposed, filters: classes, name: "head" });
  const decoder = model({ inputs: skips, outputs: head.apply(x) as SymbolicTensor });
  for (const weight of [...encoder.weights, ...decoder.weights]) {
    const value = tf.tensor(await read(weight.originalName), weight.shape as number[]);
    weight.write(value);
    value.dispose();
  }
  const dispose = (): void => {
    whole.dispose();
    decoder.dispose();
  };
  return { encoder, decoder, dispose };
}
