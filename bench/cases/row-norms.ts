/** @file What is normalized a sample by itself: layer norm, group norm, and the weights of attention. */
import * as tf from "@tensorflow/tfjs-core";
import { groupNormalization } from "../../src/graph/ops/group-normalization.ts";
import { layerNormalization } from "../../src/graph/ops/layer-normalization.ts";
import { attentionWeights } from "../../src/graph/ops/softmax.ts";
import type { BenchCase } from "../bench-case.ts";
import { opCases } from "./op-cases.ts";
import type { AnyRank } from "./op-cases.ts";

const EPSILON = 1e-3;

/** At shapes of small transformers and of a U-Net's blocks. */
export function rowNormCases(): BenchCase[] {
  return [
    ...normCases([16, 64, 256]),
    ...normCases([4, 256, 768]),
    ...normCases([4, 32, 32, 128], 32),
    ...attentionCases([16, 8, 64, 64]),
  ];
}

const normalized = (x: tf.Tensor, axes: number[]): tf.Tensor => {
  const { mean, variance } = tf.moments(x, axes, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, EPSILON)));
};

/** Group norm in so many groups, or layer norm. */
function normCases(shape: number[], groups?: number): BenchCase[] {
  const vector = shape.slice(-1);
  const grouped = (x: AnyRank): tf.Tensor => {
    const [batch, height, width, channels] = shape;
    const parts = tf.reshape<tf.Rank>(x, [batch, height * width, groups!, channels / groups!]);
    return tf.reshape(normalized(parts, [1, 3]), shape);
  };
  return opCases({
    name: groups === undefined ? `layerNorm of ${vector[0]}` : `groupNorm in ${groups}`,
    shape,
    inputs: { x: { shape }, gamma: { shape: vector, positive: true }, beta: { shape: vector } },
    ours: ({ x, gamma, beta }) =>
      groups === undefined
        ? layerNormalization(x, { gamma, beta, epsilon: EPSILON })
        : groupNormalization(x, { groups, gamma, beta, epsilon: EPSILON }),
    theirs: ({ x, gamma, beta }) =>
      tf.add(tf.mul(groups === undefined ? normalized(x, [-1]) : grouped(x), gamma), beta),
    rows: [
      { what: "forward", moves: [shape, shape] },
      { what: "backward", wrt: ["x", "gamma", "beta"], moves: [shape, shape, shape] },
    ],
  });
}

function attentionCases(shape: number[]): BenchCase[] {
  const [queries, keys] = shape.slice(-2);
  const scale = 0.125;
  return opCases({
    name: "causal attentionWeights",
    shape,
    inputs: { x: { shape } },
    ours: ({ x }) => attentionWeights(x, { scale, causal: true }),
    theirs({ x }) {
      const hidden = tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([queries, keys]), -1, 0)), -1e9);
      return tf.softmax(tf.add(tf.mul<tf.Tensor>(x, scale), hidden));
    },
    rows: [
      { what: "forward", moves: [shape, shape] },
      { what: "backward", wrt: ["x"], moves: [shape, shape, shape] },
    ],
  });
}
