import type { Gpu } from "../../../../src/gpu/gpu.ts";
import { gradients } from "../../../../src/graph/gradients.ts";
import { Graph } from "../../../../src/graph/graph.ts";
import type { Tensor } from "../../../../src/graph/graph.ts";
import { batchNormInference, batchNormTraining } from "../../../../src/graph/ops/batch-norm.ts";
import { cast } from "../../../../src/graph/ops/cast.ts";
import { concat } from "../../../../src/graph/ops/concat.ts";
import { conv2d } from "../../../../src/graph/ops/conv2d.ts";
import { denseBlock } from "../../../../src/graph/ops/dense-block/dense-block.ts";
import type { NormStacks } from "../../../../src/graph/ops/dense-block/parameters.ts";
import { channelMoments } from "../../../../src/graph/ops/moments.ts";
import type { Plan } from "../../../../src/graph/plan.ts";
import { compile } from "../../../../src/graph/program.ts";
import type { CompileOptions } from "../../../../src/graph/program.ts";
import { sizeOf } from "../../../../src/graph/shape.ts";
import type { Shape } from "../../../../src/graph/shape.ts";
import { Variables } from "../../../../src/graph/variables.ts";
import { dot } from "../../../helpers/op.ts";
import { randomInput } from "../../../helpers/tfjs-reference.ts";

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
  };
}

const join = (parts: readonly Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** The kinds of parameters of a block, and the numbers of each in the order of the stacks. */
export const STACKS: Readonly<Record<string, (layer: LayerNumbers) => Float32Array>> = {
  gamma1: ({ norm1 }) => norm1.gamma,
  beta1: ({ norm1 }) => norm1.beta,
  kernel1: ({ kernel1 }) => kernel1,
  gamma2: ({ norm2 }) => norm2.gamma,
  beta2: ({ norm2 }) => norm2.beta,
  kernel2: ({ kernel2 }) => kernel2,
};

export const stackOf = ({ layers }: BlockNumbers, kind: string): Float32Array =>
  join(layers.map(STACKS[kind]));

export type Results = Record<string, Float32Array>;

export interface BlockOptions extends Partial<Omit<CompileOptions, "outputs" | "updates" | "variables">> {
  /** With the statistics of the batch, and then with gradients. */
  readonly training: boolean;
  readonly numbers?: BlockNumbers;
  /** Whether the gradient of x is asked for, which is the default. */
  readonly ofInput?: boolean;
  /** In f16 the input and the gradient of the output are cast to it, and the results back. */
  readonly precision?: "f32" | "f16";
  /** Is shown the plan. */
  readonly inspect?: (plan: Plan) => void;
}

/**
 * Runs a block as one op or as a plain composition: `y`, and in training the gradients `dx`, `dgamma1`, .. of Σ(y·dy), the moments
 * `mean` and `variance` of y, and the moved statistics `mean1`, `variance1`, `mean2`, `variance2`; what belongs to layers
 * stacked as the op has it.
 */
export async function runBlock(
  gpu: Gpu,
  block: Block,
  form: "fused" | "plain",
  {
    training,
    numbers = blockNumbers(block),
    ofInput = true,
    precision = "f32",
    inspect,
    ...options
  }: BlockOptions,
): Promise<Results> {
  const graph = new Graph();
  const x = graph.input("x", block.x);
  const learned: Record<string, Tensor[]> = Object.fromEntries(Object.keys(STACKS).map((kind) => [kind, []]));
  const make = { x: cast(x, precision), block, numbers, training, learned };
  const y = cast(form === "fused" ? fused(make) : plain(make), "f32");
  const outputs: Record<string, Tensor> = { y };
  if (training) {
    Object.assign(outputs, channelMoments(y));
    const wrt = [...(ofInput ? [x] : []), ...Object.values(learned).flat()];
    const found = gradients(dot(y, graph.input("dy", y.shape)), wrt);
    if (ofInput) outputs.dx = found.get(x)!;
    for (const [kind, tensors] of Object.entries(learned))
      tensors.forEach((tensor, i) => (outputs[`d${kind}:${i}`] = found.get(tensor)!));
  }
  const variables = new Variables(gpu);
  const program = await compile(gpu, { outputs, variables, ...options });
  try {
    inspect?.(program.plan);
    const feeds = { x: numbers.x, ...(training && { dy: numbers.dy }) };
    const result = (await program.run(feeds)) as Results;
    if (!training) return { y: result.y };
    const { mean, variance, dx } = result;
    const joined: Results = { y: result.y, mean, variance, ...(ofInput && { dx }) };
    for (const [kind, tensors] of Object.entries(learned))
      joined[`d${kind}`] = join(tensors.map((_, i) => result[`d${kind}:${i}`]));
    for (const kind of ["mean1", "variance1", "mean2", "variance2"]) {
      const names = [...variables.shapes().keys()].filter((name) => name.split("_")[0] === kind);
      joined[kind] = join(await Promise.all(names.map((name) => variables.read(name))));
    }
    return joined;
  } finally {
    program.destroy();
    variables.destroy();
  }
}

interface Make {
  readonly x: Tensor;
  readonly block: Block;
  readonly numbers: BlockNumbers;
  readonly training: boolean;
  /** Takes the parameters that are made, by their kind. */
  readonly learned: Record<string, Tensor[]>;
}

function fused({ x, block, numbers, training, learned }: Make): Tensor {
  const { graph } = x;
  const parameter = (kind: string): Tensor => {
    const data = stackOf(numbers, kind);
    const tensor = graph.parameter(kind, [data.length], () => data);
    learned[kind].push(tensor);
    return tensor;
  };
  const state = (name: string, pick: (layer: LayerNumbers) => Float32Array): Tensor => {
    const data = join(numbers.layers.map(pick));
    return graph.state(name, [data.length], () => data);
  };
  const norm = (n: 1 | 2): NormStacks => ({
    gamma: parameter(`gamma${n}`),
    beta: parameter(`beta${n}`),
    movingMean: state(`mean${n}`, (layer) => layer[`norm${n}`].movingMean),
    movingVariance: state(`variance${n}`, (layer) => layer[`norm${n}`].movingVariance),
  });
  const parameters = {
    norm1: norm(1),
    kernel1: parameter("kernel1"),
    norm2: norm(2),
    kernel2: parameter("kernel2"),
  };
  return denseBlock(x, parameters, { ...block, epsilon: EPSILON, momentum: training ? MOMENTUM : null });
}

function plain({ x, block, numbers, training, learned }: Make): Tensor {
  const { graph } = x;
  const { growth, bottleneck } = block;
  const parameter = (kind: string, i: number, data: Float32Array, shape: Shape = [data.length]): Tensor => {
    const tensor = graph.parameter(`${kind}_${i}`, shape, () => data);
    learned[kind].push(tensor);
    return tensor;
  };
  const state = (name: string, data: Float32Array): Tensor => graph.state(name, [data.length], () => data);
  const normRelu = (input: Tensor, n: 1 | 2, i: number): Tensor => {
    const { gamma, beta, movingMean, movingVariance } = numbers.layers[i][`norm${n}`];
    const tensors = [
      parameter(`gamma${n}`, i, gamma),
      parameter(`beta${n}`, i, beta),
      state(`mean${n}_${i}`, movingMean),
      state(`variance${n}_${i}`, movingVariance),
    ] as const;
    const relu = { epsilon: EPSILON, activation: "relu" } as const;
    return training
      ? batchNormTraining(input, ...tensors, { ...relu, momentum: MOMENTUM })
      : batchNormInference(input, ...tensors, relu);
  };
  const conv = (input: Tensor, kernel: Tensor): Tensor =>
    conv2d(input, kernel, { strides: 1, padding: "same" });
  let y = x;
  numbers.layers.forEach(({ kernel1, kernel2 }, i) => {
    const one = [1, 1, y.shape[3], bottleneck];
    const middle = conv(normRelu(y, 1, i), parameter("kernel1", i, kernel1, one));
    const three = [3, 3, bottleneck, growth];
    y = concat([y, conv(normRelu(middle, 2, i), parameter("kernel2", i, kernel2, three))]);
  });
  return y;
}
