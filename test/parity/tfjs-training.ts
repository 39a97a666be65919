import * as tf from "@tensorflow/tfjs-core";
import type { Phase } from "../../src/runs/phase.ts";
import { loadTfjsDenseNet } from "./tfjs-densenet.ts";
import { tfjsDenseNet121 } from "./tfjs-densenet121.ts";
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
  /** Folder with DenseNet121 as a layers model, for its layers; without it they are put together here. */
  readonly folder?: string;
  /** First values of every variable of the network, by Keras name. */
  readonly variables: ReadonlyMap<string, Float32Array | number[]>;
}

/** A U-Net that tfjs's active backend trains on one batch again and again. */
export interface TfjsTraining {
  /** Makes a step, the encoder's inference included while it is frozen; the loss before it, for the caller to dispose. */
  step(): tf.Scalar;
  dispose(): void;
}

/** Trains the U-Net with tfjs's active backend on one batch again and again; returns the loss before each step. */
export async function trainWithTfjs({ steps, ...task }: TrainingTask): Promise<number[]> {
  const training = await startTfjsTraining(task);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const value = training.step();
    losses.push(value.dataSync()[0]);
    value.dispose();
  }
  training.dispose();
  return losses;
}

/** Builds the network and its optimizer; no step is made yet. */
export async function startTfjsTraining(task: Omit<TrainingTask, "steps">): Promise<TfjsTraining> {
  const { image, labels, imageSize, classes, phase, learningRate, folder, variables } = task;
  const denseNet =
    folder === undefined ? tfjsDenseNet121() : await loadTfjsDenseNet(folder, { weights: false });
  const { encoder, decoder, ...unet } = await buildTfjsUNet(denseNet, classes, (name) => {
    const values = variables.get(name);
    return values ? Promise.resolve(values) : Promise.reject(new Error(`There is no variable "${name}".`));
  });
  const x = tf.tensor(image, [image.length / (imageSize ** 2 * 3), imageSize, imageSize, 3]);
  const classOf = tf.tensor1d(Int32Array.from(labels), "int32");
  const lossFrom = (skips: tf.Tensor[]): tf.Scalar => {
    const logits = tf.reshape(decoder.apply(skips, { training: true }) as tf.Tensor, [-1, classes]);
    const ofTheLabel = tf.sum(tf.mul(tf.oneHot(classOf, classes), tf.logSoftmax(logits)), -1);
    return tf.neg(tf.mean<tf.Scalar>(ofTheLabel));
  };
  const trained = phase === "frozen" ? [decoder] : [encoder, decoder];
  const parameters = trained.flatMap((model) =>
    model.trainableWeights.map((weight) => weight.read() as tf.Variable),
  );
  const optimizer = tf.train.rmsprop(learningRate, 0.9, 0, 1e-7);
  const step = (): tf.Scalar => {
    // tfjs would use the batch's statistics in a frozen encoder too: its features are predicted instead.
    const features = phase === "frozen" ? (encoder.predictOnBatch(x) as tf.Tensor[]) : null;
    const loss = (): tf.Scalar => lossFrom(features ?? (encoder.apply(x, { training: true }) as tf.Tensor[]));
    const value = optimizer.minimize(loss, true, parameters)!;
    tf.dispose(features ?? []);
    return value;
  };
  const dispose = (): void => {
    tf.dispose([x, classOf]);
    optimizer.dispose();
    unet.dispose();
  };
  return { step, dispose };
}
