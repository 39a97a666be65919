import * as tf from "@tensorflow/tfjs-core";
import type { Phase } from "../../src/train/programs.ts";
import { buildTfjsUNet } from "./tfjs-unet.ts";

export interface TrainingTask {
  /** `[N, S, S, 3]` in [0, 1]. */
  readonly image: Float32Array | number[];
  /** `[N, S, S]`. */
  readonly labels: Uint32Array;
  readonly imageSize: number;
  readonly classes: number;
  readonly phase: Phase;
  readonly steps: number;
  readonly learningRate: number;
  /** Folder with DenseNet121 as a layers model, for its layers. */
  readonly folder: string;
  /** First values of every variable of the network, by Keras name. */
  readonly variables: ReadonlyMap<string, Float32Array | number[]>;
}

/** Trains the U-Net with tfjs's active backend on one batch again and again; returns the loss before each step. */
export async function trainWithTfjs(task: TrainingTask): Promise<number[]> {
  const { image, labels, imageSize, classes, phase, steps, learningRate, folder, variables } = task;
  const unet = await buildTfjsUNet(folder, classes, (name) => {
    const values = variables.get(name);
    return values ? Promise.resolve(values) : Promise.reject(new Error(`There is no variable "${name}".`));
  });
  const { encoder, decoder } = unet;
  const x = tf.tensor(image, [image.length / (imageSize ** 2 * 3), imageSize, imageSize, 3]);
  const classOf = tf.tensor1d(Int32Array.from(labels), "int32");
  // tfjs would use the batch's statistics in a frozen encoder too: its features are predicted instead.
  const features = phase === "frozen" ? (encoder.predict(x) as tf.Tensor[]) : null;
  const loss = (): tf.Scalar => {
    const skips = features ?? (encoder.apply(x, { training: true }) as tf.Tensor[]);
    const logits = tf.reshape(decoder.apply(skips, { training: true }) as tf.Tensor, [-1, classes]);
    const ofTheLabel = tf.sum(tf.mul(tf.oneHot(classOf, classes), tf.logSoftmax(logits)), -1);
    return tf.neg(tf.mean<tf.Scalar>(ofTheLabel));
  };
  const trained = phase === "frozen" ? [decoder] : [encoder, decoder];
  const parameters = trained.flatMap((model) =>
    model.trainableWeights.map((weight) => weight.read() as tf.Variable),
  );
  const optimizer = tf.train.rmsprop(learningRate, 0.9, 0, 1e-7);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const value = optimizer.minimize(loss, true, parameters)!;
    losses.push(value.dataSync()[0]);
    value.dispose();
  }
  tf.dispose([x, classOf, ...(features ?? [])]);
  optimizer.dispose();
  unet.dispose();
  return losses;
}
