/** @file A dense block with the batch norm that follows it, built of plain ops, and everything that comes of it. */
import { expect } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph, partValues } from "../../../src/graph/graph.ts";
import type { Tensor, VariablePart } from "../../../src/graph/graph.ts";
import { batchNormInference, batchNormTraining } from "../../../src/graph/ops/batch-norm.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { concat } from "../../../src/graph/ops/concat.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { part } from "../../../src/graph/ops/part.ts";
import type { Goals, Plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { CompileOptions } from "../../../src/graph/compile.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { dot } from "../../helpers/op.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

export const EPSILON = 1.001e-5;
export const MOMENTUM = 0.9;

/** A dense block on images of shape `x`. */
export interface Block {
  readonly x: Shape;
  readonly layers: number;
  readonly growth: number;
  readonly bottleneck: number;
}

export const outShape = ({ x, layers, growth }: Block): Shape => [...x.slice(0, 3), x[3] + layers * growth];

/** Of a batch norm. */
export interface NormNumbers {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly movingMean: Float32Array;
  readonly movingVariance: Float32Array;
}

export interface LayerNumbers {
  readonly norm1: NormNumbers;
  readonly kernel1: Float32Array;
  readonly norm2: NormNumbers;
  readonly kernel2: Float32Array;
}

/** Everything that goes in; `dy`: the gradient of the output. */
export interface BlockNumbers {
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly layers: readonly LayerNumbers[];
  /** Of the norm that reads the whole. */
  readonly last: NormNumbers;
}

function normNumbers(channels: number, seed: number): NormNumbers {
  const random = (n: number): Float32Array => randomInput([channels], seed + n).data;
  return {
    gamma: random(0).map((value) => 1 + 0.4 * value),
    beta: random(1).map((value) => 0.5 * value),
    movingMean: random(2),
    movingVariance: random(3).map((value) => 0.3 + value * value),
  };
}

/** Numbers that no symmetry makes easy; the channels of x around `mean` with deviations of one to three `deviation`. */
export function blockNumbers(block: Block, { mean = 0.3, deviation = 1 } = {}): BlockNumbers {
  const { x, layers, growth, bottleneck } = block;
  const scaled = (shape: Shape, seed: number): Float32Array => {
    const fan = sizeOf(shape.slice(0, 3));
    return randomInput(shape, seed).data.map((value) => (2 * value) / Math.sqrt(fan));
  };
  return {
    x: randomInput(x, 7).data.map((value, i) => value * deviation * (1 + (i % 3)) + mean),
    dy: randomInput(outShape(block), 8).data,
    layers: Array.from({ length: layers }, (_, layer) => {
      const channels = x[3] + layer * growth;
      return {
        norm1: normNumbers(channels, 100 * layer),
        kernel1: scaled([1, 1, channels, bottleneck], 100 * layer + 10),
        norm2: normNumbers(bottleneck, 100 * layer + 20),
        kernel2: scaled([3, 3, bottleneck, growth], 100 * layer + 30),
      };
    }),
    last: normNumbers(x[3] + layers * growth, 50),
  };
}

const join = (parts: readonly Float32Array[]): Float32Array =>
  Float32Array.from(parts.flatMap((each) => [...each]));

/** The learned numbers of each kind, in the order of their stack: that of the layers, then of the last norm. */
export const KINDS: Readonly<Record<string, (numbers: BlockNumbers) => readonly Float32Array[]>> = {
  gamma1: ({ layers, last }) => [...layers.map(({ norm1 }) => norm1.gamma), last.gamma],
  beta1: ({ layers, last }) => [...layers.map(({ norm1 }) => norm1.beta), last.beta],
  kernel1: ({ layers }) => layers.map(({ kernel1 }) => kernel1),
  gamma2: ({ layers }) => layers.map(({ norm2 }) => norm2.gamma),
  beta2: ({ layers }) => layers.map(({ norm2 }) => norm2.beta),
  kernel2: ({ layers }) => layers.map(({ kernel2 }) => kernel2),
};

/** And of the moving statistics. */
const STATES: typeof KINDS = {
  mean1: ({ layers, last }) => [...layers.map(({ norm1 }) => norm1.movingMean), last.movingMean],
  variance1: ({ layers, last }) => [...layers.map(({ norm1 }) => norm1.movingVariance), last.movingVariance],
  mean2: ({ layers }) => layers.map(({ norm2 }) => norm2.movingMean),
  variance2: ({ layers }) => layers.map(({ norm2 }) => norm2.movingVariance),
};

export const numbersOf = (numbers: BlockNumbers, kind: string): Float32Array => join(KINDS[kind](numbers));

export type Results = Record<string, Float32Array>;

export interface GraphOptions {
  /** With the statistics of the batch, and then with gradients. */
  readonly training: boolean;
  readonly numbers?: BlockNumbers;
  /** Whether parameters of a kind lie in one variable, as in a network, which is the default. */
  readonly stacked?: boolean;
  /** Whether the gradient of x is asked for, which is the default. */
  readonly ofInput?: boolean;
  /** In f16 the input and the gradient of the output are cast to it, and the results back. */
  readonly precision?: "f32" | "f16";
}

export interface BlockOptions
  extends GraphOptions, Partial<Omit<CompileOptions, "outputs" | "updates" | "variables">> {
  /** Is shown the plan. */
  readonly inspect?: (plan: Plan) => void;
}

interface BlockGraph {
  readonly goals: Goals;
  /** The variables of each kind: one, or one a layer. */
  readonly learned: Readonly<Record<string, readonly Tensor[]>>;
}

const shapesOf = (
  { x, layers, growth, bottleneck }: Block,
  kind: string,
  values: readonly Float32Array[],
): Shape[] => {
  if (kind === "kernel1")
    return Array.from({ length: layers }, (_, i) => [1, 1, x[3] + i * growth, bottleneck]);
  if (kind === "kernel2") return Array.from({ length: layers }, () => [3, 3, bottleneck, growth]);
  return values.map(({ length }) => [length]);
};

/** The graph of a block, its gradients included; the outputs are `y`, `dx` and `d<kind>:<number>`. */
export function blockGraph(
  block: Block,
  {
    training,
    numbers = blockNumbers(block),
    stacked = true,
    ofInput = true,
    precision = "f32",
  }: GraphOptions,
): BlockGraph {
  const graph = new Graph();
  const x = graph.input("x", block.x);
  const learned: Record<string, Tensor[]> = {};
  const tensors: Record<string, Tensor[]> = {};
  for (const [kind, of] of Object.entries({ ...KINDS, ...STATES })) {
    const values = of(numbers);
    const shapes = shapesOf(block, kind, values);
    const parts = values.map((data, i): VariablePart => {
      return { name: `${kind}_${i}`, shape: shapes[i], initializer: () => data };
    });
    const isState = kind in STATES;
    if (stacked) {
      const make = isState ? graph.stackedState.bind(graph) : graph.stackedParameter.bind(graph);
      const stack = make(kind, parts);
      if (!isState) learned[kind] = [stack];
      tensors[kind] = parts.map(({ name }) => part(stack, name));
    } else {
      const make = isState ? graph.state.bind(graph) : graph.parameter.bind(graph);
      tensors[kind] = parts.map(({ name, shape, initializer }) => make(name, shape, initializer));
      if (!isState) learned[kind] = tensors[kind];
    }
  }
  const normRelu = (input: Tensor, n: 1 | 2, i: number): Tensor => {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(
      (kind) => tensors[`${kind}${n}`][i],
    );
    const relu = { epsilon: EPSILON, activation: "relu" } as const;
    return training
      ? batchNormTraining(input, gamma, beta, mean, variance, { ...relu, momentum: MOMENTUM })
      : batchNormInference(input, gamma, beta, mean, variance, relu);
  };
  const conv = (input: Tensor, kernel: Tensor): Tensor =>
    conv2d(input, kernel, { strides: 1, padding: "same" });
  let joined: Tensor = cast(x, precision);
  numbers.layers.forEach((_, i) => {
    const middle = conv(normRelu(joined, 1, i), tensors.kernel1[i]);
    joined = concat([joined, conv(normRelu(middle, 2, i), tensors.kernel2[i])]);
  });
  const y = cast(normRelu(joined, 1, block.layers), "f32");
  const outputs: Record<string, Tensor> = { y };
  if (training) {
    const wrt = [...(ofInput ? [x] : []), ...Object.values(learned).flat()];
    const found = gradients(dot(y, graph.input("dy", y.shape)), wrt);
    if (ofInput) outputs.dx = found.get(x)!;
    for (const [kind, all] of Object.entries(learned))
      all.forEach((tensor, i) => (outputs[`d${kind}:${i}`] = found.get(tensor)!));
  }
  return { goals: { outputs }, learned };
}

/** The parts of the gradient of a variable; fails where there is anything between two of them. */
function partsOf(variable: Tensor, gradient: Float32Array): Float32Array {
  const gaps = gradient.slice();
  for (const { values } of partValues(variable, gaps)) values.fill(0);
  expect(gaps, `what lies between the parts of the gradient of ${variable.name}`).toEqual(
    new Float32Array(gaps.length),
  );
  return join(partValues(variable, gradient).map(({ values }) => values));
}

/**
 * Runs a block: `y`, and in training the gradients `dx`, `dgamma1`, .. of Σ(y·dy) and the moved statistics `mean1`,
 * `variance1`, `mean2`, `variance2`; what belongs to layers in their order, without what lies between.
 */
export async function runBlock(
  gpu: Gpu,
  block: Block,
  { training, numbers = blockNumbers(block), stacked, ofInput, precision, inspect, ...options }: BlockOptions,
): Promise<Results> {
  const { goals, learned } = blockGraph(block, { training, numbers, stacked, ofInput, precision });
  const variables = new Variables(gpu);
  const program = await compile(gpu, { ...goals, variables, ...options });
  try {
    inspect?.(program.plan);
    const feeds = { x: numbers.x, ...(training && { dy: numbers.dy }) };
    const { y, dx, ...rest } = (await program.run(feeds)) as Results;
    if (!training) return { y };
    const results: Results = { y, ...(dx && { dx }) };
    for (const [kind, all] of Object.entries(learned))
      results[`d${kind}`] = join(all.map((tensor, i) => partsOf(tensor, rest[`d${kind}:${i}`])));
    for (const [kind, of] of Object.entries(STATES)) {
      const moved = of(numbers).map((_, i) => variables.read(`${kind}_${i}`));
      results[kind] = join(await Promise.all(moved));
    }
    return results;
  } finally {
    program.destroy();
    variables.destroy();
  }
}
