import * as tf from "@tensorflow/tfjs-core";
import { Graph } from "../../../src/graph/graph.ts";
import type { Node, Tensor } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { clipByGlobalNorm } from "../../../src/graph/ops/clip-by-global-norm.ts";
import { globalNorm } from "../../../src/graph/ops/global-norm.ts";
import { adam } from "../../../src/graph/optimizers/adam.ts";
import { exponentialMovingAverage } from "../../../src/graph/optimizers/exponential-moving-average.ts";
import { adamw } from "../../../src/graph/optimizers/adamw.ts";
import { rmsprop } from "../../../src/graph/optimizers/rmsprop.ts";
import { sgd } from "../../../src/graph/optimizers/sgd.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";
import { kernelCase, opCase } from "../kernel-case.ts";
import type { KernelCase } from "../kernel-case.ts";

const STEPS = [1, 2, 3];
const RATE = 1e-3;
const MOMENTUM = 0.875;
/** Much more than one takes, for three steps to show it. */
const DECAY = 64;
/**
 * tfjs adds Adam's epsilon to the root of the corrected mean square, Keras and we before: too small to matter. It takes
 * 1 − β₂ᵗ from 1 in f32, where 0.999 would leave it but five digits.
 */
const ADAM = { beta1: 0.875, beta2: 1 - 2 ** -6, epsilon: 1e-20 };

interface Optimizer {
  readonly name: string;
  /** What it keeps of each parameter, in tfjs's order, by the end of our variable's name. */
  readonly slots: readonly string[];
  readonly ours: (gradients: ReadonlyMap<Tensor, Tensor>) => Node[];
  readonly theirs: () => tf.Optimizer;
  /** What becomes of their parameter before a step: tfjs has no weight decay, so its definition. */
  readonly decay?: number;
}

const OPTIMIZERS: readonly Optimizer[] = [
  {
    name: "rmsprop",
    slots: ["rmsprop"],
    ours: (gradients) => rmsprop(gradients, { learningRate: RATE }),
    theirs: () => tf.train.rmsprop(RATE, 0.9, 0, 1e-7),
  },
  {
    name: "adam",
    slots: ["adam_m", "adam_v"],
    ours: (gradients) => adam(gradients, { learningRate: RATE, ...ADAM }),
    theirs: () => tf.train.adam(RATE, ADAM.beta1, ADAM.beta2, ADAM.epsilon),
  },
  {
    name: "adamw",
    slots: ["adamw_m", "adamw_v"],
    ours: (gradients) => adamw(gradients, { learningRate: RATE, weightDecay: DECAY, ...ADAM }),
    theirs: () => tf.train.adam(RATE, ADAM.beta1, ADAM.beta2, ADAM.epsilon),
    decay: 1 - RATE * DECAY,
  },
  // tfjs's velocity is PyTorch's, which at a constant rate leads to the same parameters.
  ...[false, true].map((nesterov) => ({
    name: nesterov ? "sgd, Nesterov's momentum" : "sgd, momentum",
    slots: [],
    ours: (gradients: ReadonlyMap<Tensor, Tensor>) =>
      sgd(gradients, { learningRate: RATE, momentum: MOMENTUM, nesterov }),
    theirs: () => tf.train.momentum(RATE, MOMENTUM, nesterov),
  })),
];

/** Gradients of very different sizes, as those of a network are. */
const gradientAt = (shape: Shape, step: number): Float32Array =>
  randomInput(shape, step).data.map((value, i) => value * 10 ** -(i % 5));

/** Three steps from zero, so that the parameter is the sum of its updates. */
function threeSteps({ name, slots, ours, theirs, decay = 1 }: Optimizer, shape: Shape): KernelCase {
  return kernelCase(
    `${name}, 3 steps`,
    `parameter ${shape.join("×")}`,
    async (gpu) => {
      const graph = new Graph();
      const parameter = graph.parameter("parameter", shape, zeros);
      const gradient = graph.input("gradient", shape);
      const variables = new Variables(gpu);
      const updates = ours(new Map([[parameter, gradient]]));
      const program = await compile(gpu, { outputs: {}, updates, variables });
      try {
        for (const step of STEPS) await program.run({ gradient: gradientAt(shape, step) });
        const others: Record<string, Float32Array> = {};
        for (const slot of slots) others[slot] = await variables.read(`parameter/${slot}`);
        return { y: await variables.read("parameter"), others };
      } finally {
        program.destroy();
        variables.destroy();
      }
    },
    async () => {
      const parameter = tf.variable(tf.zeros([...shape]));
      const optimizer = theirs();
      for (const step of STEPS) {
        if (decay !== 1) tf.tidy(() => parameter.assign(tf.mul<tf.Tensor>(parameter, decay)));
        const gradient = tf.tensor(gradientAt(shape, step), [...shape]);
        optimizer.applyGradients({ [parameter.name]: gradient });
        gradient.dispose();
      }
      // The first weight is the number of steps.
      const [, ...kept] = await optimizer.getWeights();
      const others = Object.fromEntries(slots.map((slot, i) => [slot, kept[i].tensor.dataSync().slice()]));
      const y = parameter.dataSync().slice();
      parameter.dispose();
      optimizer.dispose();
      return { y, others };
    },
  );
}

/** Two gradients clipped to half their norm; tfjs has no such function, so its definition. */
function clipping(shapes: readonly [Shape, Shape]): KernelCase {
  const data = shapes.map((shape, i) => gradientAt(shape, i + 1));
  const squares = data.reduce((sum, values) => values.reduce((s, x) => s + x * x, sum), 0);
  const clipNorm = Math.sqrt(squares) / 2;
  return kernelCase(
    "clip_by_global_norm",
    `gradients ${shapes.map((shape) => shape.join("×")).join(", ")}`,
    async (gpu) => {
      const graph = new Graph();
      const inputs = shapes.map((shape, i) => graph.input(`${i}`, shape));
      const { gradients, norm } = clipByGlobalNorm(new Map(inputs.map((x) => [x, x])), clipNorm);
      const [first, second] = inputs.map((x) => gradients.get(x)!);
      const program = await compile(gpu, { outputs: { norm, first, second } });
      try {
        const { norm, first, second } = await program.run({ 0: data[0], 1: data[1] });
        return { y: norm, others: { first, second } };
      } finally {
        program.destroy();
      }
    },
    () =>
      tf.tidy(() => {
        const tensors = data.map((values) => tf.tensor1d(values));
        const norm = tf.sqrt(tf.addN(tensors.map((x) => tf.sum(tf.square(x)))));
        const factor = tf.div(clipNorm, tf.maximum(norm, clipNorm));
        const [first, second] = tensors.map((x) => tf.mul(x, factor).dataSync().slice());
        return { y: norm.dataSync().slice(), others: { first, second } };
      }),
  );
}

/** Three steps of the average of a weight that gradient descent moves, from zero. */
function averaging(shape: Shape): KernelCase {
  const rate = 0.25;
  return kernelCase(
    "exponential_moving_average, 3 steps",
    `parameter ${shape.join("×")}`,
    async (gpu) => {
      const graph = new Graph();
      const parameter = graph.parameter("parameter", shape, zeros);
      const slopes = new Map([[parameter, graph.input("gradient", shape)]]);
      const updates = [
        ...sgd(slopes, { learningRate: RATE }),
        ...exponentialMovingAverage([parameter], { rate: graph.input("rate", []) }),
      ];
      const variables = new Variables(gpu);
      const program = await compile(gpu, { outputs: {}, updates, variables });
      try {
        for (const step of STEPS)
          await program.run({ gradient: gradientAt(shape, step), rate: Float32Array.of(rate) });
        return { y: await variables.read("parameter/ema"), others: {} };
      } finally {
        program.destroy();
        variables.destroy();
      }
    },
    () =>
      tf.tidy(() => {
        let [parameter, average] = [tf.zeros([...shape]), tf.zeros([...shape])];
        for (const step of STEPS) {
          const gradient = tf.tensor(gradientAt(shape, step), [...shape]);
          parameter = tf.sub(parameter, tf.mul(gradient, RATE));
          average = tf.movingAverage(average, parameter, 1 - rate, undefined, false);
        }
        return { y: average.dataSync().slice(), others: {} };
      }),
  );
}

/** The norm as a part of a loss. */
const norm = (shapes: Readonly<Record<string, Shape>>): KernelCase =>
  opCase(
    "global_norm",
    shapes,
    (...x) => globalNorm(x),
    (...x) => tf.sqrt(tf.addN(x.map((each) => tf.sum(tf.square(each))))),
  );

export const optimizerCases: readonly KernelCase[] = [
  ...OPTIMIZERS.flatMap((optimizer) => [
    threeSteps(optimizer, [3, 3, 5, 7]),
    threeSteps(optimizer, [1, 1, 64, 32]),
  ]),
  averaging([3, 3, 5, 7]),
  averaging([1, 1, 64, 32]),
  clipping([[3, 3, 5, 7], [7]]),
  clipping([[1, 1, 64, 32], [32]]),
  norm({ a: [3, 3, 5, 7], b: [7] }),
  norm({ a: [1, 1, 64, 32], b: [32] }),
];
