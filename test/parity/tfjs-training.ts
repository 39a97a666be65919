import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { toSize } from "../../src/image-size.ts";
import type { ImageSize } from "../../src/image-size.ts";
import { DEFAULT_ENCODER, encoderNamed } from "../../src/layers/networks/encoders.ts";
import type { Phase } from "../../src/runs/phase.ts";
import { summaryOf } from "../helpers/tensor-summary.ts";
import type { TensorSummary } from "../helpers/tensor-summary.ts";
import { buildTfjsUNet } from "./tfjs-unet.ts";
import type { TfjsUNet } from "./tfjs-unet.ts";

/** A U-Net and what it learns from; messages between processes carry it. */
export interface TfjsTask {
  /** By name; DenseNet121 by default. */
  readonly encoder?: string;
  /** `[N, H, W, 3]`, as the encoder takes it. */
  readonly image: Float32Array | number[];
  /** `[N, H, W]`. */
  readonly labels: Uint32Array;
  readonly imageSize: ImageSize;
  readonly classes: number;
  /** First values of every variable of the network, by Keras name. */
  readonly variables: ReadonlyMap<string, Float32Array | number[]>;
}

export interface TrainingTask extends TfjsTask {
  readonly phase: Phase;
  readonly steps: number;
  readonly learningRate: number;
}

/** A U-Net that tfjs's active backend trains on one batch again and again. */
export interface TfjsTraining {
  /** Makes a step, the encoder's inference included while it is frozen; the loss before it, for the caller to dispose. */
  step(): tf.Scalar;
  dispose(): void;
}

/** Trains the U-Net with tfjs's active backend on one batch again and again; returns the loss before each step. */
export function trainWithTfjs({ steps, ...task }: TrainingTask): number[] {
  const training = startTfjsTraining(task);
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
export function startTfjsTraining(task: Omit<TrainingTask, "steps">): TfjsTraining {
  const { phase, learningRate } = task;
  const network = startNetwork(task);
  const { encoder, decoder } = network.unet;
  const trained = phase === "frozen" ? [decoder] : [encoder, decoder];
  const parameters = trainableOf(trained, task.variables).map(({ variable }) => variable);
  const optimizer = tf.train.rmsprop(learningRate, 0.9, 0, 1e-7);
  const step = (): tf.Scalar => {
    // tfjs would use the batch's statistics in a frozen encoder too: its features are predicted instead.
    const features = phase === "frozen" ? (encoder.predictOnBatch(network.image) as tf.Tensor[]) : null;
    const value = optimizer.minimize(() => network.loss(features), true, parameters)!;
    tf.dispose(features ?? []);
    return value;
  };
  const dispose = (): void => {
    optimizer.dispose();
    network.dispose();
  };
  return { step, dispose };
}

export interface LossAndGradients {
  readonly loss: number;
  /** Of each parameter, by name. */
  readonly gradients: Readonly<Record<string, TensorSummary>>;
}

/** The loss of the U-Net on a batch in training, and its gradients, by tfjs's active backend. */
export function gradientsWithTfjs(task: TfjsTask): LossAndGradients {
  const network = startNetwork(task);
  const parameters = trainableOf([network.unet.encoder, network.unet.decoder], task.variables);
  const { value, grads } = tf.variableGrads(
    () => network.loss(null),
    parameters.map(({ variable }) => variable),
  );
  const gradients = parameters.map(({ name, variable }) => {
    const gradient = grads[variable.name];
    return [name, { shape: gradient.shape, ...summaryOf(gradient.dataSync()) }] as const;
  });
  const loss = value.dataSync()[0];
  tf.dispose([value, ...Object.values(grads)]);
  network.dispose();
  return { loss, gradients: Object.fromEntries(gradients) };
}

interface Network {
  readonly unet: TfjsUNet;
  readonly image: tf.Tensor;
  /** Of the batch; the encoder runs in training unless what it makes is given. */
  readonly loss: (skips: tf.Tensor[] | null) => tf.Scalar;
  readonly dispose: () => void;
}

function startNetwork({ encoder, image, labels, imageSize, classes, variables }: TfjsTask): Network {
  const network = encoder === undefined ? DEFAULT_ENCODER : encoderNamed(encoder);
  const unet = buildTfjsUNet({ encoder: network, imageSize, classes }, (name) => variables.get(name));
  const { height, width } = toSize(imageSize);
  const x = tf.tensor(image, [image.length / (height * width * 3), height, width, 3]);
  const classOf = tf.tensor1d(Int32Array.from(labels), "int32");
  const loss = (given: tf.Tensor[] | null): tf.Scalar => {
    const skips = given ?? (unet.encoder.apply(x, { training: true }) as tf.Tensor[]);
    const logits = tf.reshape(unet.decoder.apply(skips, { training: true }) as tf.Tensor, [-1, classes]);
    const ofTheLabel = tf.sum(tf.mul(tf.oneHot(classOf, classes), tf.logSoftmax(logits)), -1);
    return tf.neg(tf.mean<tf.Scalar>(ofTheLabel));
  };
  const dispose = (): void => {
    tf.dispose([x, classOf]);
    unet.dispose();
  };
  return { unet, image: x, loss, dispose };
}

/** The parameters of some models that the network has too. */
const trainableOf = (
  models: readonly LayersModel[],
  variables: TfjsTask["variables"],
): { name: string; variable: tf.Variable }[] =>
  models
    .flatMap(({ trainableWeights }) => trainableWeights)
    .filter(({ originalName }) => variables.has(originalName))
    .map((weight) => ({ name: weight.originalName, variable: weight.read() as tf.Variable }));
