/** @file What comes after the logits: loss, predictions, and the optimizer's part of a step. */
import * as tf from "@tensorflow/tfjs-core";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Node, Tensor } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import { argmax } from "../../src/graph/ops/argmax.ts";
import { confusionMatrix } from "../../src/graph/ops/confusion-matrix.ts";
import { globalNorm } from "../../src/graph/ops/global-norm.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { adam } from "../../src/graph/optimizers/adam.ts";
import { rmsprop } from "../../src/graph/optimizers/rmsprop.ts";
import { shapeText, sizeOf } from "../../src/graph/shape.ts";
import type { BenchCase } from "../bench-case.ts";
import { classNoise, noise } from "../noise.ts";
import type { NetworkSize } from "./convolutions.ts";
import { bytesMoved } from "./op-cases.ts";

const LEARNING_RATE = 1e-3;
/** The decoder's largest kernel. */
const PARAMETER = [3, 3, 512, 1024];

export function lossAndUpdateCases(network: NetworkSize): BenchCase[] {
  return [
    crossEntropyCase(network, "forward"),
    crossEntropyCase(network, "backward"),
    argmaxCase(network),
    confusionMatrixCase(network),
    optimizerCase("rmsprop"),
    optimizerCase("adam"),
    globalNormCase(),
  ];
}

/** The gradient is not worth a reading of the logits of its own, so "backward" is the loss and its gradient on both sides. */
function crossEntropyCase(
  { batch, size, classes }: NetworkSize,
  direction: "forward" | "backward",
): BenchCase {
  const shape = [batch, size, size, classes];
  const pixels = shape.slice(0, 3);
  const both = direction === "backward";
  return {
    name: `softmaxCrossEntropy ${both ? "loss and gradient" : "forward"}`,
    shape: shapeText(shape),
    direction,
    flops: null,
    bytes: bytesMoved(both ? [shape, pixels, shape] : [shape, pixels]),
    comparable: true,
    ours() {
      const graph = new Graph();
      const logits = graph.input("logits", shape);
      const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", pixels, "u32"));
      const outputs: Record<string, Tensor> = { loss };
      if (both) outputs.dlogits = gradients(loss, [logits]).get(logits)!;
      return {
        goals: { outputs },
        feeds: {
          logits: () => noise("logits", sizeOf(shape)),
          labels: () => classNoise(sizeOf(pixels), classes),
        },
        timed: () => true,
      };
    },
    theirs() {
      const logits = tf.tensor(noise("logits", sizeOf(shape)), shape);
      const labels = tf.tensor1d(Int32Array.from(classNoise(sizeOf(pixels), classes)), "int32");
      const loss = (x: tf.Tensor): tf.Scalar => {
        const ofTheLabel = tf.mul(tf.oneHot(labels, classes), tf.logSoftmax(tf.reshape(x, [-1, classes])));
        return tf.neg(tf.mean<tf.Scalar>(tf.sum(ofTheLabel, -1)));
      };
      const withGradient = tf.valueAndGrad(loss);
      return {
        run() {
          if (!both) return [tf.tidy(() => loss(logits))];
          const { value, grad } = withGradient(logits);
          return [value, grad];
        },
        dispose: () => tf.dispose([logits, labels]),
      };
    },
  };
}

function argmaxCase({ batch, size, classes }: NetworkSize): BenchCase {
  const shape = [batch, size, size, classes];
  return {
    name: "argmax",
    shape: shapeText(shape),
    direction: "forward",
    flops: null,
    bytes: bytesMoved([shape, shape.slice(0, 3)]),
    comparable: true,
    ours: () => ({
      goals: { outputs: { y: argmax(new Graph().input("x", shape)) } },
      feeds: { x: () => noise("x", sizeOf(shape)) },
      timed: () => true,
    }),
    theirs() {
      const x = tf.tensor(noise("x", sizeOf(shape)), shape);
      return { run: () => [tf.argMax(x, -1)], dispose: () => x.dispose() };
    },
  };
}

function confusionMatrixCase({ batch, size, classes }: NetworkSize): BenchCase {
  const shape = [batch, size, size];
  const numbers = (): Uint32Array => classNoise(sizeOf(shape), classes);
  return {
    name: "confusionMatrix",
    shape: shapeText(shape),
    direction: "forward",
    flops: null,
    bytes: bytesMoved([shape, shape, [classes, classes]]),
    // Of this many pixels tfjs gives the bits of floats for whole numbers.
    comparable: false,
    ours() {
      const graph = new Graph();
      const [labels, predictions] = ["labels", "predictions"].map((name) => graph.input(name, shape, "u32"));
      return {
        goals: { outputs: { y: confusionMatrix(labels, predictions, { classes }) } },
        feeds: { labels: numbers, predictions: () => numbers().reverse() },
        timed: () => true,
      };
    },
    theirs() {
      const [labels, predictions] = [numbers(), numbers().reverse()].map((values) =>
        tf.tensor1d(Int32Array.from(values), "int32"),
      );
      return {
        run: () => [tf.math.confusionMatrix(labels, predictions, classes)],
        dispose: () => tf.dispose([labels, predictions]),
      };
    },
  };
}

/** What an optimizer reads and writes of the parameter's size: gradient and parameter, and its slots. */
const OPTIMIZERS = {
  rmsprop: { tensors: 1 + 2 + 2, ours: rmsprop, theirs: () => tf.train.rmsprop(LEARNING_RATE, 0.9, 0, 1e-7) },
  adam: { tensors: 1 + 2 + 4, ours: adam, theirs: () => tf.train.adam(LEARNING_RATE, 0.9, 0.999, 1e-7) },
} as const;

function optimizerCase(name: keyof typeof OPTIMIZERS): BenchCase {
  const { tensors, ours, theirs } = OPTIMIZERS[name];
  const update = ours as (slopes: ReadonlyMap<Tensor, Tensor>, options: { learningRate: Tensor }) => Node[];
  return {
    name,
    shape: shapeText(PARAMETER),
    direction: "update",
    flops: null,
    bytes: tensors * bytesMoved([PARAMETER]),
    comparable: false,
    ours() {
      const graph = new Graph();
      const w = graph.parameter("w", PARAMETER, zeros);
      const slopes = new Map([[w, graph.input("gradient", PARAMETER)]]);
      return {
        goals: { outputs: {}, updates: update(slopes, { learningRate: graph.input("learning_rate", []) }) },
        feeds: {
          gradient: () => noise("gradient", sizeOf(PARAMETER)),
          learning_rate: () => Float32Array.of(LEARNING_RATE),
        },
        timed: () => true,
      };
    },
    theirs() {
      const w = tf.variable(tf.zeros(PARAMETER));
      const gradient = tf.tensor(noise("gradient", sizeOf(PARAMETER)), PARAMETER);
      const optimizer = theirs();
      return {
        run() {
          optimizer.applyGradients([{ name: w.name, tensor: gradient }]);
          return [];
        },
        dispose() {
          optimizer.dispose();
          tf.dispose([w, gradient]);
        },
      };
    },
  };
}

function globalNormCase(): BenchCase {
  return {
    name: "globalNorm",
    shape: shapeText(PARAMETER),
    direction: "update",
    flops: null,
    bytes: bytesMoved([PARAMETER]),
    comparable: true,
    ours: () => ({
      goals: { outputs: { norm: globalNorm([new Graph().input("x", PARAMETER)]) } },
      feeds: { x: () => noise("x", sizeOf(PARAMETER)) },
      timed: () => true,
    }),
    theirs() {
      const x = tf.tensor(noise("x", sizeOf(PARAMETER)), PARAMETER);
      return { run: () => [tf.tidy(() => tf.sqrt(tf.sum(tf.square(x))))], dispose: () => x.dispose() };
    },
  };
}
