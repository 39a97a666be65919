/** @file What the U-Net does between its convolutions, at the shapes where it does most of it. */
import * as tf from "@tensorflow/tfjs-core";
import { batchNormInference, batchNormTraining } from "../../src/graph/ops/batch-norm.ts";
import { biasAdd } from "../../src/graph/ops/bias.ts";
import { concat } from "../../src/graph/ops/concat.ts";
import { averagePool2d, maxPool2d } from "../../src/graph/ops/pool.ts";
import { upsampleNearest2x } from "../../src/graph/ops/upsample-nearest2x.ts";
import type { BenchCase } from "../bench-case.ts";
import type { NetworkSize } from "./convolutions.ts";
import { opCases } from "./op-cases.ts";

const EPSILON = 1e-3;
const MOMENTUM = 0.99;

export function layerCases({ batch, size, classes }: NetworkSize): BenchCase[] {
  const images = (stride: number, channels: number): number[] => [
    batch,
    size / stride,
    size / stride,
    channels,
  ];
  return [
    ...batchNormCases("stem", images(2, 64)),
    ...batchNormCases("block 1", images(4, 128)),
    ...batchNormCases("block 3", images(16, 640)),
    ...batchNormCases("decoder 1", images(16, 512)),
    ...batchNormCases("decoder 3", images(4, 128)),
    ...maxPoolCases(images(2, 64), images(4, 64)),
    ...averagePoolCases("transition 1", images(4, 128), images(8, 128)),
    ...averagePoolCases("transition 3", images(16, 512), images(32, 512)),
    ...concatCases("block 1", images(4, 160), images(4, 32), images(4, 192)),
    ...concatCases("decoder 1", images(16, 512), images(16, 1024), images(16, 1536)),
    ...concatCases("decoder 4", images(2, 64), images(2, 64), images(2, 128)),
    ...upsampleCases("decoder 1", images(32, 1024), images(16, 1024)),
    ...upsampleCases("head", images(2, 128), images(1, 128)),
    ...biasCases(images(1, classes)),
  ];
}

/** With ReLU, as all of the network's are. */
function batchNormCases(name: string, shape: number[]): BenchCase[] {
  const vector = shape.slice(-1);
  const scale = { gamma: { shape: vector, positive: true }, beta: { shape: vector } };
  const training = opCases({
    name: `batchNorm ${name}`,
    shape,
    inputs: {
      x: { shape },
      ...scale,
      mean: { shape: vector, state: true },
      variance: { shape: vector, state: true, positive: true },
    },
    ours: ({ x, gamma, beta, mean, variance }) =>
      batchNormTraining(x, gamma, beta, mean, variance, {
        epsilon: EPSILON,
        momentum: MOMENTUM,
        activation: "relu",
      }),
    theirs({ x, gamma, beta, mean, variance }) {
      // As tfjs's layer does it, moving averages included.
      const moments = tf.moments(x, [0, 1, 2]);
      const y = tf.relu(
        tf.batchNorm(x, moments.mean as tf.Tensor1D, moments.variance as tf.Tensor1D, beta, gamma, EPSILON),
      );
      move(mean, moments.mean);
      move(variance, moments.variance);
      return y;
    },
    rows: [
      { what: "training forward", moves: [shape, shape] },
      { what: "training backward", wrt: ["x", "gamma", "beta"], moves: [shape, shape, shape] },
    ],
  });
  const inference = opCases({
    name: `batchNorm ${name}`,
    shape,
    inputs: {
      x: { shape },
      ...scale,
      mean: { shape: vector },
      variance: { shape: vector, positive: true },
    },
    ours: ({ x, gamma, beta, mean, variance }) =>
      batchNormInference(x, gamma, beta, mean, variance, { epsilon: EPSILON, activation: "relu" }),
    theirs: ({ x, gamma, beta, mean, variance }) =>
      tf.relu(tf.batchNorm(x, mean, variance, beta, gamma, EPSILON)),
    rows: [{ what: "inference", moves: [shape, shape] }],
  });
  return [...training, ...inference];
}

const move = (moving: tf.Tensor, value: tf.Tensor): tf.Tensor =>
  tf.sub(moving, tf.mul(tf.sub(moving, value), 1 - MOMENTUM));

function maxPoolCases(x: number[], y: number[]): BenchCase[] {
  return opCases({
    name: "maxPool2d stem 3×3/2",
    shape: x,
    // What it pads with are zeros here and −∞ in tfjs: after a ReLU the same.
    inputs: { x: { shape: x, positive: true } },
    ours: ({ x }) =>
      maxPool2d(x, { poolSize: 3, strides: 2, padding: { top: 1, bottom: 1, left: 1, right: 1 } }),
    theirs: ({ x }) => tf.maxPool(x, 3, 2, 1),
    rows: [
      { what: "forward", moves: [x, y] },
      // Which pixel was the largest must be known too: one number a window.
      { what: "backward", wrt: ["x"], moves: [y, y, x] },
    ],
  });
}

function averagePoolCases(name: string, x: number[], y: number[]): BenchCase[] {
  return opCases({
    name: `averagePool2d ${name} 2×2/2`,
    shape: x,
    inputs: { x: { shape: x } },
    ours: ({ x }) => averagePool2d(x, { poolSize: 2, strides: 2, padding: "valid" }),
    theirs: ({ x }) => tf.avgPool(x, 2, 2, "valid"),
    rows: [
      { what: "forward", moves: [x, y] },
      { what: "backward", wrt: ["x"], moves: [y, x] },
    ],
  });
}

function concatCases(name: string, a: number[], b: number[], y: number[]): BenchCase[] {
  return opCases({
    name: `concat ${name} ${a[3]}+${b[3]}`,
    shape: y,
    inputs: { a: { shape: a }, b: { shape: b } },
    ours: ({ a, b }) => concat([a, b]),
    theirs: ({ a, b }) => tf.concat([a, b], -1),
    rows: [
      { what: "forward", moves: [a, b, y] },
      { what: "backward", wrt: ["a", "b"], moves: [a, b, y] },
    ],
  });
}

function upsampleCases(name: string, x: number[], y: number[]): BenchCase[] {
  return opCases({
    name: `upsampleNearest2x ${name}`,
    shape: x,
    inputs: { x: { shape: x } },
    ours: ({ x }) => upsampleNearest2x(x),
    theirs: ({ x }) => tf.image.resizeNearestNeighbor(x, [y[1], y[2]]),
    rows: [
      { what: "forward", moves: [x, y] },
      { what: "backward", wrt: ["x"], moves: [x, y] },
    ],
  });
}

function biasCases(x: number[]): BenchCase[] {
  const bias = x.slice(-1);
  return opCases({
    name: "bias head",
    shape: x,
    inputs: { x: { shape: x }, bias: { shape: bias } },
    ours: ({ x, bias }) => biasAdd(x, bias),
    theirs: ({ x, bias }) => tf.add(x, bias),
    rows: [
      { what: "forward", moves: [x, bias, x] },
      { what: "backward", wrt: ["bias"], moves: [x, bias] },
    ],
  });
}
