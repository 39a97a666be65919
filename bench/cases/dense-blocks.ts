/** @file Whole dense blocks of DenseNet121, each with the norm that follows it, whose ops a program runs together here. */
import * as tf from "@tensorflow/tfjs-core";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { shapeText, sizeOf } from "../../src/graph/shape.ts";
import { buildLayers } from "../../src/layers/networks/build.ts";
import { LayerList } from "../../src/layers/networks/layer-list.ts";
import type { BenchCase, GraphWork, TfjsWork } from "../bench-case.ts";
import { noise } from "../noise.ts";
import { recordTape } from "../tfjs-tape.ts";
import type { NetworkSize } from "./convolutions.ts";
import { bytesMoved } from "./op-cases.ts";
import { gradientsBy } from "./gradients-by.ts";

const GROWTH = 32;
const BOTTLENECK = 4 * GROWTH;
const EPSILON = 1.001e-5;
/** Of each block: stride, channels of its input, layers. */
const BLOCKS = [
  [4, 64, 6],
  [8, 128, 12],
  [16, 256, 24],
  [32, 512, 16],
];

interface Block {
  /** `[N, H, W, C]`. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly layers: number;
}

type Pass = "inference" | "training forward" | "training backward";

export function denseBlockCases({ batch, size }: NetworkSize): BenchCase[] {
  return BLOCKS.flatMap(([stride, channels, layers], i) => {
    const images = (width: number): number[] => [batch, size / stride, size / stride, width];
    const block = { x: images(channels), y: images(channels + layers * GROWTH), layers };
    return (["inference", "training forward", "training backward"] as const).map((pass) =>
      denseBlockCase(`denseBlock ${i + 1} ${pass}`, block, pass),
    );
  });
}

function denseBlockCase(name: string, block: Block, pass: Pass): BenchCase {
  const { x, y } = block;
  const kernels = layerShapes(block).flatMap(({ kernel1, kernel2 }) => [kernel1, kernel2]);
  const flops = kernels.reduce((sum, kernel) => sum + 2 * sizeOf(kernel) * sizeOf(x.slice(0, 3)), 0);
  const backward = pass === "training backward";
  return {
    name,
    shape: shapeText(x),
    direction: backward ? "backward" : "forward",
    flops: backward ? 2 * flops : flops,
    bytes: bytesMoved(backward ? [y, y, x, ...kernels, ...kernels] : [x, y, ...kernels]),
    // Each side draws parameters of its own.
    comparable: false,
    ours: () => graphWork(block, pass),
    theirs: () => tfjsWork(block, pass),
  };
}

function graphWork({ x: shape, layers }: Block, pass: Pass): GraphWork {
  const graph = new Graph();
  const x = graph.input("x", shape);
  const training = pass !== "inference";
  const y = denseBlock(x, layers, training);
  const feeds = { x: () => noise("x", sizeOf(shape)) };
  if (pass !== "training backward") return { goals: { outputs: { y } }, feeds, timed: () => true };

  const backward = graph.nodes.length;
  const parameters = [...graph.variables.values()].filter(({ variable }) => variable?.role === "parameter");
  const found = gradientsBy(y, graph.input("dy", y.shape), [x, ...parameters]);
  return {
    goals: { outputs: Object.fromEntries(found.map(([{ name }, gradient]) => [name, gradient])) },
    feeds: { ...feeds, dy: () => noise("dy", sizeOf(y.shape)) },
    timed: ({ index }) => index >= backward,
  };
}

function denseBlock(x: Tensor, layers: number, training: boolean): Tensor {
  const list = new LayerList({ inputs: { x: { channels: x.shape[3], stride: 1 } } });
  const conv = (name: string, input: string, size: number, filters: number): string => {
    const kernelSize = [size, size] as const;
    const options = { filters, kernelSize, strides: 1, padding: "same", useBias: false } as const;
    return list.add(name, { kind: "Conv2D", ...options }, input);
  };
  const normRelu = (name: string, input: string): string => {
    const options = { epsilon: EPSILON, momentum: 0.99, scale: true };
    const norm = list.add(`${name}_bn`, { kind: "BatchNormalization", ...options }, input);
    return list.add(`${name}_relu`, { kind: "Activation", activation: "relu" }, norm);
  };
  let joined = "x";
  for (let layer = 1; layer <= layers; layer++) {
    const middle = conv(`${layer}_1`, normRelu(`${layer}_0`, joined), 1, BOTTLENECK);
    const added = conv(`${layer}_2`, normRelu(`${layer}_1`, middle), 3, GROWTH);
    joined = list.add(`${layer}_concat`, { kind: "Concatenate" }, joined, added);
  }
  const last = normRelu("last", joined);
  const options = { outputs: [last], training, trainable: () => training };
  return buildLayers(list.layers, { x }, options)[last];
}

/** Kernels, HWIO, and channels of the batch norms of each layer. */
function layerShapes({ x, layers }: Block): { channels: number; kernel1: number[]; kernel2: number[] }[] {
  return Array.from({ length: layers }, (_, layer) => {
    const channels = x[3] + layer * GROWTH;
    const kernel1 = [1, 1, channels, BOTTLENECK];
    return { channels, kernel1, kernel2: [3, 3, BOTTLENECK, GROWTH] };
  });
}

type Rank4 = [number, number, number, number];

interface TfjsLayer {
  readonly kernel1: tf.Tensor4D;
  readonly kernel2: tf.Tensor4D;
  readonly norm1: TfjsNorm;
  readonly norm2: TfjsNorm;
}

/** Mean and variance are the moving ones, for inference. */
type TfjsNorm = Readonly<Record<"gamma" | "beta" | "mean" | "variance", tf.Tensor1D>>;

function tfjsWork(block: Block, pass: Pass): TfjsWork {
  const x = tf.tensor4d(noise("x", sizeOf(block.x)), block.x as Rank4);
  const layers = layerShapes(block).map(tfjsLayer);
  const last = tfjsNorm(block.y[3]);
  const tensors = [
    ...Object.values(last),
    ...layers.flatMap(({ kernel1, kernel2, norm1, norm2 }) => [
      ...[kernel1, kernel2],
      ...[...Object.values(norm1), ...Object.values(norm2)],
    ]),
  ];
  const training = pass !== "inference";
  const forward = (): tf.Tensor => tfjsBlock(x, layers, last, training);
  if (pass !== "training backward") {
    return { run: () => [tf.tidy(forward)], dispose: () => tf.dispose([x, ...tensors]) };
  }
  const tape = recordTape(forward);
  const dy = tf.tensor4d(noise("dy", sizeOf(block.y)), block.y as Rank4);
  const wrt = [
    ...[last.gamma, last.beta],
    ...layers.flatMap(({ kernel1, kernel2, norm1, norm2 }) => [
      ...[kernel1, norm1.gamma, norm1.beta],
      ...[kernel2, norm2.gamma, norm2.beta],
    ]),
  ];
  return {
    run: () => tape.backward(dy, [x, ...wrt]),
    dispose() {
      tape.dispose();
      tf.dispose([x, dy, ...tensors]);
    },
  };
}

const tfjsNorm = (size: number): TfjsNorm => ({
  ...{ gamma: tf.ones([size]), beta: tf.zeros([size]) },
  ...{ mean: tf.zeros([size]), variance: tf.ones([size]) },
});

function tfjsLayer({ channels, kernel1, kernel2 }: ReturnType<typeof layerShapes>[number]): TfjsLayer {
  const kernel = (shape: number[]): tf.Tensor4D =>
    tf.tensor4d(
      noise("kernel", sizeOf(shape)).map((value) => 0.05 * value),
      shape as Rank4,
    );
  return {
    ...{ kernel1: kernel(kernel1), kernel2: kernel(kernel2) },
    ...{ norm1: tfjsNorm(channels), norm2: tfjsNorm(BOTTLENECK) },
  };
}

function tfjsBlock(
  x: tf.Tensor4D,
  layers: readonly TfjsLayer[],
  last: TfjsNorm,
  training: boolean,
): tf.Tensor {
  const bnRelu = (input: tf.Tensor4D, { gamma, beta, ...moving }: TfjsNorm): tf.Tensor4D => {
    const { mean, variance } = training ? tf.moments(input, [0, 1, 2]) : moving;
    return tf.relu(tf.batchNorm(input, mean as tf.Tensor1D, variance as tf.Tensor1D, beta, gamma, EPSILON));
  };
  const joined = layers.reduce((y, { kernel1, kernel2, norm1, norm2 }) => {
    const bottleneck = tf.conv2d(bnRelu(y, norm1), kernel1, 1, "valid");
    return tf.concat([y, tf.conv2d(bnRelu(bottleneck, norm2), kernel2, 1, "same")], 3);
  }, x);
  return bnRelu(joined, last);
}
