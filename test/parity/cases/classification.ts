import * as tf from "@tensorflow/tfjs-core";
import { accuracy } from "../../../src/graph/ops/accuracy.ts";
import { argmax } from "../../../src/graph/ops/argmax.ts";
import { confusionMatrix } from "../../../src/graph/ops/confusion-matrix.ts";
import { crossEntropyAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import { dense } from "../../../src/graph/ops/dense.ts";
import { softmax } from "../../../src/graph/ops/softmax.ts";
import { sparseSoftmaxCrossEntropy } from "../../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import type { OpInput } from "../../helpers/op.ts";
import { forwardCase, labels, opCase, positive } from "../kernel-case.ts";
import type { KernelCase, Kernels } from "../kernel-case.ts";

const FAMILIES: readonly Kernels[] = [
  { family: "register" },
  { family: "register", subgroupSize: 0 },
  { family: "workgroup" },
  { family: "workgroup", subgroupSize: 0 },
];
const PER_IMAGE = { reduction: "per-image" } as const;

const labelTensor = ({ shape, data }: OpInput): tf.Tensor =>
  tf.tensor(Int32Array.from(data), [...shape], "int32");
const floatTensor = ({ shape, data }: OpInput): tf.Tensor => tf.tensor(data, [...shape]);

/** Cross-entropy of each pixel, from the logits. */
function crossEntropies(logits: tf.Tensor, classOf: OpInput, classes: number): tf.Tensor {
  const oneHot = tf.oneHot(labelTensor(classOf), classes);
  return tf.neg(tf.sum(tf.mul(oneHot, tf.logSoftmax(logits)), -1));
}

/** How often the classes were taken for each other. */
const confusions = (logits: OpInput, classOf: OpInput, classes: number): tf.Tensor2D =>
  tf.math.confusionMatrix(
    tf.reshape<tf.Rank.R1>(labelTensor(classOf), [-1]),
    tf.reshape<tf.Rank.R1>(tf.argMax(floatTensor(logits), -1), [-1]),
    classes,
  );

/** 1 in each row of a matrix but one. */
const rowsBut = (row: number, rows: number): tf.Tensor =>
  tf.tensor(
    Int32Array.from({ length: rows }, (_, i) => (i === row ? 0 : 1)),
    [rows, 1],
    "int32",
  );

function onLogits(logits: Shape): KernelCase[] {
  const classes = logits[logits.length - 1];
  const classOf = labels(logits.slice(0, -1), classes);
  const inputs = { logits, labels: classOf };
  const hits = (logits: OpInput, classOf: OpInput): tf.Tensor =>
    tf.cast(tf.equal(tf.argMax(floatTensor(logits), -1), labelTensor(classOf)), "float32");
  return [
    opCase(
      "sparse_softmax_cross_entropy",
      inputs,
      (x, classOf) => sparseSoftmaxCrossEntropy(x, classOf),
      (x) => tf.mean(crossEntropies(x, classOf, classes)),
    ),
    forwardCase(
      "sparse_softmax_cross_entropy per image",
      inputs,
      (x, classOf) => sparseSoftmaxCrossEntropy(x, classOf, PER_IMAGE),
      (x, classOf) => tf.mean(crossEntropies(floatTensor(x), classOf, classes), [1, 2]),
    ),
    opCase(
      "sparse_softmax_cross_entropy with class weights",
      { ...inputs, class_weights: positive([classes], 3) },
      (x, classOf, classWeights) => sparseSoftmaxCrossEntropy(x, classOf, { classWeights }),
      (x, classWeights) =>
        tf.mean(tf.mul(crossEntropies(x, classOf, classes), tf.gather(classWeights, labelTensor(classOf)))),
      { constants: 1 },
    ),
    ...FAMILIES.map((kernels) =>
      opCase(
        "loss of cross_entropy_and_accuracy",
        inputs,
        (x, classOf) => crossEntropyAndAccuracy(x, classOf).loss,
        (x) => tf.mean(crossEntropies(x, classOf, classes)),
        { kernels },
      ),
    ),
    forwardCase(
      "accuracy of cross_entropy_and_accuracy",
      inputs,
      (x, classOf) => crossEntropyAndAccuracy(x, classOf).accuracy,
      (x, classOf) => tf.mean(hits(x, classOf)),
    ),
    opCase("softmax", { x: logits }, softmax, (x) => tf.softmax(x)),
    forwardCase(
      "argmax",
      { x: logits },
      (x) => argmax(x),
      (x) => tf.argMax(floatTensor(x), -1),
    ),
    ...FAMILIES.map((kernels) =>
      forwardCase(
        "confusion_matrix",
        inputs,
        (x, classOf) => confusionMatrix(classOf, argmax(x), { classes }),
        (x, classOf) => confusions(x, classOf, classes),
        { kernels },
      ),
    ),
    forwardCase(
      "confusion_matrix without class 1",
      inputs,
      (x, classOf) => confusionMatrix(classOf, argmax(x), { classes, ignoreLabel: 1 }),
      (x, classOf) => tf.mul(confusions(x, classOf, classes), rowsBut(1, classes)),
    ),
    forwardCase(
      "accuracy",
      inputs,
      (x, classOf) => accuracy(x, classOf),
      (x, classOf) => tf.mean(hits(x, classOf)),
    ),
    forwardCase(
      "accuracy per image",
      inputs,
      (x, classOf) => accuracy(x, classOf, PER_IMAGE),
      (x, classOf) => tf.mean(hits(x, classOf), [1, 2]),
    ),
  ];
}

const fullyConnected = (x: Shape, units: number): KernelCase =>
  opCase("dense", { x, kernel: [x[1], units], bias: [units] }, dense, (x, kernel, bias) =>
    tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias),
  );

export const classificationCases: readonly KernelCase[] = [
  ...onLogits([3, 5, 7, 59]),
  ...onLogits([2, 8, 4, 10]),
  fullyConnected([3, 37], 11),
  fullyConnected([4, 64], 100),
];
