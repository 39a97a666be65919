import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { constant, ones, zeros } from "../../../src/graph/initializers.ts";
import { batchNormInference, batchNormTraining } from "../../../src/graph/ops/batch-norm.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { OpInput } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

interface Case {
  readonly shape: Shape;
  readonly activation?: "relu";
  readonly epsilon?: number;
  readonly maxBindingBytes?: number;
}

/** Normal numbers; another seed, other numbers. */
const normal = (seed: number, shape: Shape, { mean = 0, deviation = 1 } = {}): Float32Array =>
  randomInput(shape, seed).data.map((value) => mean + deviation * value);

/** Inputs x, γ, β, mean and variance that no symmetry makes easy, and a gradient of the output. */
function numbers(shape: Shape): { inputs: OpInput[]; dy: Float32Array } {
  const channels = shape.slice(-1);
  const data = [
    normal(1, shape, { mean: 0.5, deviation: 2 }),
    normal(2, channels, { mean: 1, deviation: 0.5 }),
    normal(3, channels),
    normal(4, channels),
    normal(5, channels).map((value) => 0.3 + value * value),
  ];
  const inputs = data.map((data, i) => ({ shape: i === 0 ? shape : channels, data }));
  return { inputs, dy: normal(6, shape) };
}

const training = (epsilon: number, activation?: "relu") => (x: Tensor, gamma: Tensor, beta: Tensor) => {
  const mean = x.graph.state("moving_mean", gamma.shape, zeros);
  const variance = x.graph.state("moving_variance", gamma.shape, ones);
  return batchNormTraining(x, gamma, beta, mean, variance, { epsilon, momentum: 0.9, activation });
};

async function compareTraining({ shape, activation, epsilon = 1e-3, maxBindingBytes }: Case): Promise<void> {
  const { inputs, dy } = numbers(shape);
  const f = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor => {
    const axes = shape.map((_, axis) => axis).slice(0, -1);
    const { mean, variance } = tf.moments(x, axes);
    const normalized = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
    const y = tf.add(tf.mul(normalized, gamma), beta);
    return activation ? tf.relu(y) : y;
  };
  const used = inputs.slice(0, 3);
  const actual = await runOp(gpu(), training(epsilon, activation), used, dy, { maxBindingBytes });
  const expected = tfjsReference(f, used, dy);
  expectClose(actual.y, expected.y);
  expected.gradients.forEach((gradient, i) => expectClose(actual.gradients[i], gradient));
}

async function compareInference({ shape, activation, epsilon = 1e-3, maxBindingBytes }: Case): Promise<void> {
  const { inputs, dy } = numbers(shape);
  const ours = (x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor): Tensor =>
    batchNormInference(x, gamma, beta, mean, variance, { epsilon, activation });
  const theirs = (x: tf.Tensor, ...vectors: tf.Tensor[]): tf.Tensor => {
    const [gamma, beta, mean, variance] = vectors as tf.Tensor1D[];
    const y = tf.batchNorm(x, mean, variance, beta, gamma, epsilon);
    return activation ? tf.relu(y) : y;
  };
  const actual = await runOp(gpu(), ours, inputs, dy, { maxBindingBytes, constants: 2 });
  const expected = tfjsReference(theirs, inputs, dy);
  expectClose(actual.y, expected.y);
  for (let i = 0; i < 3; i++) expectClose(actual.gradients[i], expected.gradients[i]);
}

const shapes: Shape[] = [
  [2, 5, 5, 1],
  [3, 7, 5, 3],
  [2, 6, 4, 4],
  [1, 5, 3, 5],
  [2, 16, 16, 64],
  [2, 3, 5, 130],
  [40, 12],
  [2, 64, 48, 8],
  [4, 3, 3, 256],
];

describe("batch norm with the statistics of the batch", () => {
  it.each(shapes.map((shape) => ({ shape })))("is that of tfjs at $shape", async ({ shape }) => {
    await compareTraining({ shape });
    await compareTraining({ shape, activation: "relu" });
  });

  it("is that of tfjs at any shape", async () => {
    const extent = fc.integer({ min: 1, max: 9 });
    const shape = fc.tuple(fc.integer({ min: 1, max: 4 }), extent, extent, fc.integer({ min: 1, max: 40 }));
    await fc.assert(
      fc.asyncProperty(
        // With a handful of pixels dx is the small rest of large numbers, in tfjs too.
        shape.filter(([n, h, w]) => n * h * w >= 16),
        fc.constantFrom(undefined, "relu" as const),
        fc.constantFrom(1e-3, 1.001e-5),
        (shape, activation, epsilon) => compareTraining({ shape, activation, epsilon }),
      ),
      { numRuns: 12, seed: 1 },
    );
  });

  it("uses the whole batch's statistics when the batch is cut", async () => {
    const shape = [5, 16, 16, 16];
    const maxBindingBytes = 2 * 16 * 16 * 16 * 4;
    await compareTraining({ shape, maxBindingBytes });
    await compareTraining({ shape, activation: "relu", maxBindingBytes });
    const graph = new Graph();
    const x = graph.input("x", shape);
    const y = training(1e-3)(x, graph.input("gamma", [16]), graph.input("beta", [16]));
    const labels = (target: typeof paperTarget): string[] =>
      plan({ outputs: { y } }, target).dispatches.map(({ kernel }) => kernel.label);
    expect(labels(paperTarget).filter((label) => label === "moments")).toHaveLength(1);
    expect(labels({ ...paperTarget, maxBindingBytes }).filter((label) => label === "moments")).toHaveLength(
      3,
    );
  });

  it("has the gradients of finite differences", async () => {
    const shape = [2, 3, 4, 5];
    const { inputs, dy } = numbers(shape);
    const used = inputs.slice(0, 3);
    const data = used.map(({ data }) => data);
    for (const activation of [undefined, "relu"] as const) {
      const { y, gradients } = await runOp(gpu(), training(1e-3, activation), used, dy);
      expectClose(y, reference(data, 5, activation));
      const loss = (moved: readonly Float64Array[]): number =>
        dotProduct(reference(moved, 5, activation), dy);
      finiteDifferences(loss, data).forEach((expected, i) => expectClose(gradients[i], expected));
    }
  });

  it("moves the moving statistics as Keras does, with the biased variance", async () => {
    const shape = [4, 3, 5, 6];
    const graph = new Graph();
    const x = graph.input("x", shape);
    const [gamma, beta] = [graph.parameter("gamma", [6], ones), graph.parameter("beta", [6], zeros)];
    const mean = graph.state("mean", [6], constant(0.25));
    const variance = graph.state("variance", [6], ones);
    const y = batchNormTraining(x, gamma, beta, mean, variance, { epsilon: 1e-3, momentum: 0.9 });
    const variables = new Variables(gpu());
    const program = await compile(gpu(), { outputs: { y }, variables });
    const expected = { mean: new Float64Array(6).fill(0.25), variance: new Float64Array(6).fill(1) };
    for (const step of [1, 2]) {
      const batch = normal(step, shape, { mean: step, deviation: 2 });
      await program.run({ x: batch });
      const batchMoments = moments(batch, 6);
      for (let c = 0; c < 6; c++) {
        expected.mean[c] = expected.mean[c] * 0.9 + batchMoments.mean[c] * 0.1;
        expected.variance[c] = expected.variance[c] * 0.9 + batchMoments.variance[c] * 0.1;
      }
    }
    expectClose(await variables.read("mean"), expected.mean);
    expectClose(await variables.read("variance"), expected.variance);
    program.destroy();
    variables.destroy();
  });

  it("keeps its digits where the mean is ten thousand deviations from zero", async () => {
    const shape = [4, 32, 32, 4];
    const run = async (x: Float32Array): Promise<{ y: Float32Array; expected: Float64Array }> => {
      const data = [x, new Float32Array(4).fill(1), new Float32Array(4)];
      const inputs = [shape, [4], [4]].map((shape, i) => ({ shape, data: data[i] }));
      const { y } = await runOp(gpu(), training(1e-3), inputs, new Float32Array(x.length));
      return { y, expected: reference(data, 4) };
    };
    const x = normal(1, shape, { mean: 1e4 });
    const { y, expected } = await run(x);
    // The mean is an f32 near 1e4, whose neighbours are 1e-3 away, and so are the means of the parts.
    const worst = y.reduce((most, y, i) => Math.max(most, Math.abs(y - expected[i])), 0);
    expect(worst).toBeLessThan(6e-4);
    expectClose(moments(y, 4).variance, moments(expected, 4).variance, 5e-5);
    // A first pixel far from all others does not spoil it.
    const odd = await run(x.map((value, i) => (i < 4 ? 0 : value)));
    expectClose(odd.y, odd.expected);
  });

  it("gives the same bits twice", async () => {
    const shape = [3, 9, 9, 20];
    const { inputs, dy } = numbers(shape);
    const used = inputs.slice(0, 3);
    const first = await runOp(gpu(), training(1e-3, "relu"), used, dy);
    expect(await runOp(gpu(), training(1e-3, "relu"), used, dy)).toEqual(first);
  });
});

describe("batch norm with given statistics", () => {
  it.each(shapes.map((shape) => ({ shape })))("is that of tfjs at $shape", async ({ shape }) => {
    await compareInference({ shape });
    await compareInference({ shape, activation: "relu" });
  });

  it("is the same when the batch is cut", async () => {
    await compareInference({ shape: [5, 8, 8, 16], activation: "relu", maxBindingBytes: 2 * 8 * 8 * 16 * 4 });
    await compareInference({ shape: [5, 8, 8, 16], maxBindingBytes: 2 * 8 * 8 * 16 * 4 });
  });

  it("builds only the gradients that are asked for", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3, 3, 4]);
    const parameters = [1, 2, 3, 4].map((i) => graph.input(`${i}`, [4]));
    const [gamma, beta, mean, variance] = parameters;
    const y = batchNormInference(x, gamma, beta, mean, variance, { epsilon: 1e-3 });
    const loss = pick(y);
    const opsOf = (wrt: Tensor): string[] => {
      const before = graph.nodes.length;
      gradients(loss, [wrt]);
      return graph.nodes.slice(before).map(({ op }) => op.name);
    };
    expect(opsOf(x)).not.toContain("batch_norm_parameter_gradients");
    expect(opsOf(gamma)).not.toContain("batch_norm_input_gradient");
  });
});

describe("batch norm's refusals", () => {
  it("says which channels do not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3, 3, 4]);
    const vector = graph.input("gamma", [5]);
    expect(() => batchNormInference(x, vector, vector, vector, vector, { epsilon: 1e-3 })).toThrow(
      '"gamma" is [5] and must be [4] to fit "x" [2, 3, 3, 4]',
    );
    const fits = graph.input("fits", [4]);
    const options = { epsilon: 1e-3, momentum: 0.9 };
    expect(() => batchNormTraining(x, fits, fits, fits, fits, options)).toThrow('"fits" must be a variable');
    expect(() => batchNormTraining(relu(fits), fits, fits, fits, fits, options)).toThrow(
      "needs a batch axis",
    );
  });
});

/** Mean and biased variance of each channel in float64, in two passes. */
function moments(x: ArrayLike<number>, channels: number): { mean: Float64Array; variance: Float64Array } {
  const rows = x.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < x.length; i++) mean[i % channels] += x[i] / rows;
  for (let i = 0; i < x.length; i++) variance[i % channels] += (x[i] - mean[i % channels]) ** 2 / rows;
  return { mean, variance };
}

/** Batch norm of training in float64. */
function reference(
  [x, gamma, beta]: readonly ArrayLike<number>[],
  channels: number,
  activation?: "relu",
): Float64Array {
  const { mean, variance } = moments(x, channels);
  return Float64Array.from(x, (value, i) => {
    const c = i % channels;
    const y = ((value - mean[c]) / Math.sqrt(variance[c] + 1e-3)) * gamma[c] + beta[c];
    return activation ? Math.max(y, 0) : y;
  });
}

/** A scalar that depends on `y`, for what looks at the graph alone. */
function pick(y: Tensor): Tensor {
  return y.graph.apply(
    { name: "pick", outputs: [{ shape: [], dtype: "f32" }], lower: () => {}, gradient: () => [() => y] },
    [y],
  ).outputs[0];
}
