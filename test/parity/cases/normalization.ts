import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../../src/graph/graph.ts";
import { ones, zeros } from "../../../src/graph/initializers.ts";
import { batchNormInference, batchNormTraining } from "../../../src/graph/ops/batch-norm.ts";
import { channelSum } from "../../../src/graph/ops/channel-reduction.ts";
import { groupNormalization } from "../../../src/graph/ops/group-normalization.ts";
import { layerNormalization } from "../../../src/graph/ops/layer-normalization.ts";
import { channelMoments } from "../../../src/graph/ops/moments.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { opCase, positive } from "../kernel-case.ts";
import type { KernelCase } from "../kernel-case.ts";

const MOMENTUM = 0.9;
const FAMILIES = ["register", "workgroup"] as const;
type Activation = "relu" | undefined;

const activated = (y: tf.Tensor, activation: Activation): tf.Tensor => (activation ? tf.relu(y) : y);
const suffix = (activation: Activation): string => (activation ? " + relu" : "");

function training(x: Shape, epsilon: number, activation: Activation): KernelCase[] {
  const channels = x.slice(-1);
  const ours = (x: Tensor, gamma: Tensor, beta: Tensor): Tensor => {
    const mean = x.graph.state("moving_mean", channels, zeros);
    const variance = x.graph.state("moving_variance", channels, ones);
    return batchNormTraining(x, gamma, beta, mean, variance, { epsilon, momentum: MOMENTUM, activation });
  };
  const moments = (x: tf.Tensor): { mean: tf.Tensor; variance: tf.Tensor } => tf.moments(x, [0, 1, 2]);
  const theirs = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor => {
    const { mean, variance } = moments(x);
    const normalized = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
    return activated(tf.add(tf.mul(normalized, gamma), beta), activation);
  };
  const states = {
    moving_mean: (x: tf.Tensor) => tf.mul(moments(x).mean, 1 - MOMENTUM),
    moving_variance: (x: tf.Tensor) => tf.add(MOMENTUM, tf.mul(moments(x).variance, 1 - MOMENTUM)),
  };
  return FAMILIES.map((family) =>
    opCase(`batch_norm training${suffix(activation)}`, { x, gamma: channels, beta: channels }, ours, theirs, {
      kernels: { family },
      states,
    }),
  );
}

function inference(x: Shape, epsilon: number, activation: Activation): KernelCase[] {
  const channels = x.slice(-1);
  const inputs = { x, gamma: channels, beta: channels, mean: channels, variance: positive(channels, 5) };
  const ours = (...[x, gamma, beta, mean, variance]: Tensor[]): Tensor =>
    batchNormInference(x, gamma, beta, mean, variance, { epsilon, activation });
  const theirs = (x: tf.Tensor, ...vectors: tf.Tensor[]): tf.Tensor => {
    const [gamma, beta, mean, variance] = vectors as tf.Tensor1D[];
    return activated(tf.batchNorm(x, mean, variance, beta, gamma, epsilon), activation);
  };
  return FAMILIES.map((family) =>
    opCase(`batch_norm inference${suffix(activation)}`, inputs, ours, theirs, {
      kernels: { family },
      constants: 2,
    }),
  );
}

/** Layer norm, and group norm in so many groups. */
function ofSamples(x: Shape, groups: number): KernelCase[] {
  const channels = x.slice(-1);
  const inputs = { x, gamma: channels, beta: channels };
  const normalized = (x: tf.Tensor, axes: number[]): tf.Tensor => {
    const { mean, variance } = tf.moments(x, axes, true);
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
  };
  const affine = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor =>
    tf.add(tf.mul(x, gamma), beta);
  const grouped = [x[0], x[1] * x[2], groups, x[3] / groups];
  return FAMILIES.flatMap((family) => [
    opCase(
      "layer_norm",
      inputs,
      (x, gamma, beta) => layerNormalization(x, { gamma, beta }),
      (x, gamma, beta) => affine(normalized(x, [-1]), gamma, beta),
      { kernels: { family } },
    ),
    opCase(
      "group_norm",
      inputs,
      (x, gamma, beta) => groupNormalization(x, { groups, gamma, beta }),
      (x, gamma, beta) =>
        affine(tf.reshape(normalized(tf.reshape(x, grouped), [1, 3]), x.shape), gamma, beta),
      { kernels: { family } },
    ),
  ]);
}

/** What batch norm and bias find of each channel, as ops of their own. */
function reductions(x: Shape): KernelCase[] {
  const axes = [0, 1, 2];
  return FAMILIES.flatMap((family) => [
    opCase("channel_sum", { x }, channelSum, (x) => tf.sum(x, axes), { kernels: { family } }),
    opCase(
      "mean",
      { x },
      (x) => channelMoments(x).mean,
      (x) => tf.moments(x, axes).mean,
      {
        kernels: { family },
      },
    ),
    opCase(
      "variance",
      { x },
      (x) => channelMoments(x).variance,
      (x) => tf.moments(x, axes).variance,
      {
        kernels: { family },
      },
    ),
  ]);
}

export const normalizationCases: readonly KernelCase[] = [
  ...[training, inference].flatMap((batchNorm) =>
    ([undefined, "relu"] as const).flatMap((activation) => [
      ...batchNorm([3, 7, 5, 13], 1.001e-5, activation),
      ...batchNorm([2, 8, 6, 32], 1e-3, activation),
    ]),
  ),
  ...ofSamples([3, 7, 5, 15], 5),
  ...ofSamples([2, 8, 6, 32], 4),
  ...reductions([3, 7, 5, 13]),
  ...reductions([2, 8, 6, 32]),
];
