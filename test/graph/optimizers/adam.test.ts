import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { adam } from "../../../src/graph/optimizers/adam.ts";
import type { AdamOptions } from "../../../src/graph/optimizers/adam.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Program } from "../../../src/graph/program.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const SHAPES: Readonly<Record<string, Shape>> = { kernel: [4, 3, 16, 4], bias: [7], scalar: [] };
const RATES = [1e-2, 1e-3, 1e-1, 3e-3, 1e-2];

/** Gradients of very different sizes, some as small as epsilon, and none at all. */
const gradientAt = (name: string, step: number): Float32Array =>
  randomInput(SHAPES[name], step + 2).data.map((value, i) => (i % 8 === 7 ? 0 : value * 10 ** -(i % 8)));

const feedsAt = (step: number): Record<string, Float32Array> => ({
  rate: Float32Array.of(RATES[step]),
  ...Object.fromEntries(Object.keys(SHAPES).map((name) => [`${name} gradient`, gradientAt(name, step)])),
});

describe("adam", () => {
  const gpu = useGpu();

  function build(
    variables: Variables,
    options: Omit<AdamOptions, "learningRate"> = {},
    maxBindingBytes?: number,
  ): Promise<Program> {
    const graph = new Graph();
    const gradients = Object.entries(SHAPES).map(([name, shape]) => {
      const parameter = graph.parameter(name, shape, () => randomInput(shape, 1).data);
      return [parameter, graph.input(`${name} gradient`, shape)] as const;
    });
    const updates = adam(new Map(gradients), { ...options, learningRate: graph.input("rate", []) });
    return compile(gpu(), { outputs: {}, updates, variables, maxBindingBytes });
  }

  /** Keras's formula in float64. */
  function keras(name: string, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }) {
    const w = Float64Array.from(randomInput(SHAPES[name], 1).data);
    const m = new Float64Array(w.length);
    const v = new Float64Array(w.length);
    RATES.forEach((rate, step) => {
      const alpha = (rate * Math.sqrt(1 - beta2 ** (step + 1))) / (1 - beta1 ** (step + 1));
      gradientAt(name, step).forEach((g, i) => {
        m[i] += (g - m[i]) * (1 - beta1);
        v[i] += (g * g - v[i]) * (1 - beta2);
        w[i] -= (alpha * m[i]) / (Math.sqrt(v[i]) + epsilon);
      });
    });
    return { w, m, v };
  }

  async function compare(options: Omit<AdamOptions, "learningRate">, maxBindingBytes?: number) {
    const variables = new Variables(gpu());
    const program = await build(variables, options, maxBindingBytes);
    for (const step of RATES.keys()) await program.run(feedsAt(step));
    const { name: slots = "adam" } = options;
    for (const name of Object.keys(SHAPES)) {
      const { w, m, v } = keras(name, options);
      expectClose(await variables.read(name), w);
      expectClose(await variables.read(`${name}/${slots}_m`), m);
      expectClose(await variables.read(`${name}/${slots}_v`), v);
    }
    // Once a run, however many parameters there are.
    expect(await variables.read(`${slots}/step`)).toEqual(Float32Array.of(RATES.length));
    program.destroy();
    variables.destroy();
  }

  it("takes five steps as Keras's formula, each with its learning rate", () => compare({}));
  it("takes other betas, epsilon and name", () =>
    compare({ beta1: 0.5, beta2: 0.9, epsilon: 1e-3, name: "adam_finetune" }));
  it("is the same when a parameter is cut", () => compare({}, 2 * 3 * 16 * 4 * 4));

  // tfjs adds epsilon to the root of the *corrected* mean square; where it is nothing to speak of, both agree.
  it("equals tfjs's Adam where epsilon has no influence", async () => {
    const epsilon = 1e-30;
    const variables = new Variables(gpu());
    const program = await build(variables, { epsilon });
    const optimizer = tf.train.adam(RATES[0], 0.9, 0.999, epsilon);
    const theirs = Object.entries(SHAPES).map(
      ([name, shape]) => [name, tf.variable(tf.tensor(randomInput(shape, 1).data, [...shape]))] as const,
    );
    for (const [step, rate] of RATES.entries()) {
      await program.run(feedsAt(step));
      (optimizer as unknown as { learningRate: number }).learningRate = rate;
      optimizer.applyGradients(
        theirs.map(([name, variable]) => ({
          name: variable.name,
          tensor: tf.tensor(gradientAt(name, step), variable.shape),
        })),
      );
    }
    for (const [name, variable] of theirs) expectClose(await variables.read(name), variable.dataSync());
    program.destroy();
    variables.destroy();
  });

  it("goes on from its saved variables bit by bit", async () => {
    const after = async (variables: Variables, first: number, end: number) => {
      const program = await build(variables);
      for (let step = first; step < end; step++) await program.run(feedsAt(step));
      const values = await variables.readAll();
      program.destroy();
      variables.destroy();
      return values;
    };
    const through = await after(new Variables(gpu()), 0, 5);
    const saved = await after(new Variables(gpu()), 0, 3);
    expect(await after(new Variables(gpu(), { values: saved }), 3, 5)).toEqual(through);
    expect(sizeOf(through.get("adam/step")!.shape)).toBe(1);
  });

  it("refuses what it cannot update", () => {
    const graph = new Graph();
    const parameter = graph.parameter("w", [2], () => new Float32Array(2));
    const [two, three] = [graph.input("two", [2]), graph.input("three", [3])];
    const learningRate = 1e-3;
    expect(() => adam(new Map([[two, two]]), { learningRate })).toThrow('adam: "two" is not a variable');
    expect(() => adam(new Map([[parameter, three]]), { learningRate })).toThrow(
      'the gradient of "w" [2] is [3]',
    );
    expect(() => adam(new Map([[parameter, two]]), { learningRate: two })).toThrow("must be a scalar");
    expect(() => adam(new Map([[parameter, two]]), { learningRate, beta2: 1 })).toThrow(
      "beta2 must lie between 0 and 1, and 1 does not",
    );
  });
});
