import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import * as keras from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import * as layers from "../../../src/layers.ts";
import type { Layer } from "../../../src/layers.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

interface Case {
  readonly what: string;
  readonly input: Shape;
  readonly ours: Layer;
  readonly theirs: keras.layers.Layer;
}

const name = "one";
const l = keras.layers;
const CASES: readonly Case[] = [
  {
    what: "dense with relu",
    input: [3, 5],
    ours: layers.dense(7, { name, activation: "relu" }),
    theirs: l.dense({ units: 7, name, activation: "relu" }),
  },
  {
    what: "dense over the last of four axes, without a bias",
    input: [2, 3, 4, 5],
    ours: layers.dense(6, { name, useBias: false, activation: "softmax" }),
    theirs: l.dense({ units: 6, name, useBias: false, activation: "softmax" }),
  },
  {
    what: "conv2d",
    input: [2, 7, 6, 3],
    ours: layers.conv2d(4, 3, { name, activation: "tanh" }),
    theirs: l.conv2d({ filters: 4, kernelSize: 3, name, activation: "tanh" }),
  },
  {
    what: "conv2d with strides, same padding and an uneven kernel",
    input: [2, 7, 6, 3],
    ours: layers.conv2d(4, [3, 2], { name, strides: [2, 1], padding: "same", useBias: false }),
    theirs: l.conv2d({
      filters: 4,
      kernelSize: [3, 2],
      strides: [2, 1],
      padding: "same",
      useBias: false,
      name,
    }),
  },
  {
    what: "conv2dTranspose",
    input: [2, 4, 3, 3],
    ours: layers.conv2dTranspose(5, 3, { name, strides: 2, padding: "same" }),
    theirs: l.conv2dTranspose({ filters: 5, kernelSize: 3, strides: 2, padding: "same", name }),
  },
  {
    what: "conv2dTranspose, valid",
    input: [1, 3, 3, 2],
    ours: layers.conv2dTranspose(3, 4, { name, strides: 3 }),
    theirs: l.conv2dTranspose({ filters: 3, kernelSize: 4, strides: 3, name }),
  },
  {
    what: "depthwiseConv2d",
    input: [2, 6, 5, 4],
    ours: layers.depthwiseConv2d(3, { name, padding: "same", activation: "sigmoid" }),
    theirs: l.depthwiseConv2d({ kernelSize: 3, padding: "same", activation: "sigmoid", name }),
  },
  {
    what: "separableConv2d",
    input: [2, 6, 5, 4],
    ours: layers.separableConv2d(6, 3, { name, strides: 2 }),
    theirs: l.separableConv2d({ filters: 6, kernelSize: 3, strides: 2, name }),
  },
  {
    what: "maxPooling2d",
    input: [2, 7, 6, 3],
    ours: layers.maxPooling2d(),
    theirs: l.maxPooling2d({ poolSize: 2 }),
  },
  {
    what: "averagePooling2d, same padding",
    input: [2, 7, 6, 3],
    ours: layers.averagePooling2d(3, { strides: 2, padding: "same" }),
    theirs: l.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }),
  },
  {
    what: "globalAveragePooling2d",
    input: [2, 7, 6, 3],
    ours: layers.globalAveragePooling2d(),
    theirs: l.globalAveragePooling2d({}),
  },
  { what: "flatten", input: [2, 3, 2, 3], ours: layers.flatten(), theirs: l.flatten() },
  {
    what: "reshape",
    input: [2, 12],
    ours: layers.reshape([-1, 4]),
    theirs: l.reshape({ targetShape: [3, 4] }),
  },
  {
    what: "activation",
    input: [2, 12],
    ours: layers.activation("softplus"),
    theirs: l.activation({ activation: "softplus" }),
  },
  {
    what: "batchNormalization",
    input: [2, 3, 3, 5],
    ours: layers.batchNormalization({ name }),
    theirs: l.batchNormalization({ name }),
  },
  {
    what: "batchNormalization without gamma, another epsilon",
    input: [4, 5],
    ours: layers.batchNormalization({ name, scale: false, epsilon: 0.1 }),
    theirs: l.batchNormalization({ name, scale: false, epsilon: 0.1 }),
  },
  {
    what: "layerNormalization",
    input: [2, 3, 8],
    ours: layers.layerNormalization({ name }),
    theirs: l.layerNormalization({ name }),
  },
];

/** Weights as random numbers; variances must be positive. */
const weightsOf = (shape: Shape, seed: number): Float32Array =>
  randomInput(shape, seed).data.map((value) => Math.abs(value) + 0.1);

describe("layers", () => {
  const gpu = useGpu();

  it.each(CASES)("$what is tfjs's, with weights of the same names and shapes", async (each) => {
    const { input, ours, theirs } = each;
    const graph = new Graph();
    const y = ours(graph.input("x", input));
    const x = randomInput(input, 1);
    const symbolic = theirs.apply(keras.input({ batchShape: [...input] })) as keras.SymbolicTensor;
    expect(y.shape).toEqual(symbolic.shape);
    const shapes = theirs.weights.map((weight): [string, number[]] => [
      weight.originalName,
      weight.shape as number[],
    ]);
    const made = [...graph.variables.values()].map(({ name, shape }): [string, Shape] => [name, shape]);
    expect(new Map(made)).toEqual(new Map(shapes));
    const values = shapes.map(([, shape], i) => weightsOf(shape, 10 + i));
    theirs.setWeights(values.map((data, i) => tf.tensor(data, shapes[i][1])));
    using variables = new Variables(gpu(), {
      values: shapes.map(([name, shape], i) => [name, { shape, data: values[i] }] as const),
    });
    using program = await compile(gpu(), { outputs: { y }, variables });
    const result = await program.run({ x: x.data });
    const expected = theirs.apply(tf.tensor(x.data, [...input])) as tf.Tensor;
    expectClose(result.y, expected.dataSync());
  });

  it("groupNormalization in as many groups as channels is an instance norm", async () => {
    const graph = new Graph();
    const { data, shape } = randomInput([2, 4, 4, 3], 1);
    const y = layers.groupNormalization({ groups: 3 })(graph.input("x", shape));
    using program = await compile(gpu(), { outputs: { y } });
    const theirs = tf.tensor4d(data, [2, 4, 4, 3]);
    const { mean, variance } = tf.moments(theirs, [1, 2], true);
    const expected = tf.div(tf.sub(theirs, mean), tf.sqrt(tf.add(variance, 1e-3)));
    expectClose((await program.run({ x: data })).y, expected.dataSync());
    expect([...graph.variables.keys()]).toEqual(["group_normalization/gamma", "group_normalization/beta"]);
  });

  it("make weights as Keras's initializers do, or as they are told", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 8]);
    layers.dense(4, { kernelInitializer: () => new Float32Array(32).fill(3) })(x);
    layers.dense(400)(layers.dense(200)(x));
    const first = (name: string): Float32Array => {
      const [{ shape, initializer }] = graph.variables.get(name)!.variable!.parts;
      return initializer(shape, Math.random);
    };
    expect(new Set(first("dense/kernel"))).toEqual(new Set([3]));
    expect(new Set(first("dense_1/bias"))).toEqual(new Set([0]));
    const largest = first("dense_2/kernel").reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    expect(largest).toBeCloseTo(Math.sqrt(6 / 600), 3);
    expect(sizeOf(graph.variables.get("dense_2/kernel")!.shape)).toBe(200 * 400);
  });

  it("say what they cannot be, and what they cannot be applied to", () => {
    const graph = new Graph();
    const [row, image] = [graph.input("row", [3]), graph.input("image", [2, 4, 4, 3])];
    expect(() => layers.dense(0)).toThrow("dense: units must be a whole number from 1, not 0.");
    expect(() => layers.conv2d(8, 2.5)).toThrow(
      "conv2d: the kernel's size must be a whole number from 1, not 2.5.",
    );
    expect(() => layers.dropout(1)).toThrow("dropout takes a rate from 0 to below 1, not 1.");
    expect(() => layers.reshape([-1, -1])).toThrow("only one extent of [-1, -1] may be −1");
    expect(() => layers.sequential([])).toThrow("sequential takes at least one layer.");
    expect(() => layers.dense(2, { name: "a/" })).toThrow('"a/" is no name for a layer');
    expect(() => layers.dense(2)(row)).toThrow('dense takes a batch [N, .., K]; "row" is [3].');
    expect(() => layers.conv2d(2, 3)(row)).toThrow('conv2d takes images [N, H, W, C]; "row" is [3].');
    expect(() => layers.reshape([5, -1])(image)).toThrow("do not divide into [5, -1]");
    expect(() => layers.dense(2, { activation: "reul" as "relu" })(image)).toThrow(
      'There is no activation "reul": take one of relu, ',
    );
  });
});
