/** @file Small random graphs of the ops that are rewritten, and of others between them. */
import fc from "fast-check";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor, VariablePart } from "../../../src/graph/graph.ts";
import { activation } from "../../../src/graph/ops/activation.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { batchNormInference, batchNormTraining } from "../../../src/graph/ops/batch-norm.ts";
import { maximum, multiply, subtract } from "../../../src/graph/ops/binary.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { greater, where } from "../../../src/graph/ops/compare.ts";
import { concat, sliceChannels } from "../../../src/graph/ops/concat.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { conv2dTranspose } from "../../../src/graph/ops/conv2d-transpose.ts";
import { depthwiseConv2d } from "../../../src/graph/ops/depthwise-conv2d.ts";
import { multiplyChannels } from "../../../src/graph/ops/multiply-channels.ts";
import { part } from "../../../src/graph/ops/part.ts";
import { averagePool2d, globalAveragePool2d, maxPool2d } from "../../../src/graph/ops/pool.ts";
import { mean } from "../../../src/graph/ops/reduce.ts";
import { reshape } from "../../../src/graph/ops/reshape.ts";
import { abs, gelu, negative, rsqrt, sin, softplus, square, tanh } from "../../../src/graph/ops/unary.ts";
import { upsampledConv2d } from "../../../src/graph/ops/upsampled-conv2d.ts";
import type { Goals } from "../../../src/graph/plan.ts";
import { sameShape, sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import type { ActivationKind } from "../../../src/kernels/text/activation.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const ACTIVATIONS = ["linear", "relu", "relu6", "swish"] as const;
const UNARY = ["tanh", "sin", "softplus", "gelu", "abs", "negative"] as const;
const BINARY = ["add", "subtract", "multiply", "maximum"] as const;
const unaryOps = { tanh, sin, softplus, gelu, abs, negative };
const binaryOps = { add, subtract, multiply, maximum };

/** What adds a tensor; `from` counts back from the newest one. */
export type Step = { readonly from: number } & (
  | {
      readonly kind: "conv";
      readonly size: 1 | 3;
      readonly strides: 1 | 2;
      readonly filters: number;
      readonly bias?: boolean;
    }
  /** Of stride 2; `nearest`: a convolution behind nearest upsampling instead. */
  | {
      readonly kind: "transposed";
      readonly second: number | null;
      readonly filters: number;
      readonly nearest: boolean;
    }
  | {
      readonly kind: "norm";
      readonly training: boolean;
      readonly activation: (typeof ACTIVATIONS)[number];
    }
  | { readonly kind: "concat"; readonly second: number }
  | { readonly kind: "slice"; readonly begin: number; readonly size: number }
  | { readonly kind: "add"; readonly second: number }
  | { readonly kind: "pool"; readonly average: boolean }
  | { readonly kind: "activation"; readonly activation: ActivationKind }
  /** Norm, added to what it read or to another, activated. */
  | { readonly kind: "residual"; readonly second: number | null; readonly activation: "linear" | "relu" }
  /** Squeeze and excite: pixels' mean, two 1×1 with biases, each activated, the factor of each channel. */
  | { readonly kind: "squeeze"; readonly filters: number; readonly activation: "relu" | "swish" }
  | { readonly kind: "depthwise"; readonly size: 3 | 5; readonly strides: 1 | 2 }
  | { readonly kind: "unary"; readonly name: (typeof UNARY)[number] }
  /** With another tensor of its shape, a number of each channel that is learned, its own mean over the channels, or a number. */
  | {
      readonly kind: "binary";
      readonly name: (typeof BINARY)[number];
      readonly second: number | "channels" | "mean" | "number";
    }
  /** Over the channels: less the mean, over the root of the mean square, times a number a channel, plus another. */
  | { readonly kind: "layer norm" }
  /** What is above another tensor of its shape, or else a tenth of it. */
  | { readonly kind: "where"; readonly second: number }
  /** Norm, 1×1, norm, 3×3, joined to what it read. */
  | { readonly kind: "dense layer"; readonly bottleneck: number; readonly growth: number }
);

export interface RandomGraph {
  readonly x: Shape;
  readonly steps: readonly Step[];
  /** Whether the parameters of a role lie in one variable. */
  readonly stacked: boolean;
  /** Tensors that the caller wants besides, counted as `from`. */
  readonly kept: readonly number[];
}

/** Mostly in fours, which products can take and make in passing. */
const channels = fc.constantFrom(4, 8, 16, 12, 8, 16, 5, 6);
const from = fc.nat({ max: 3 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("conv" as const),
      from,
      size: fc.constantFrom(1 as const, 3 as const),
      strides: fc.constantFrom(1 as const, 1 as const, 2 as const),
      filters: channels,
      bias: fc.constantFrom(false, false, true),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("norm" as const),
      from,
      training: fc.constantFrom(true, true, false),
      activation: fc.constantFrom(...ACTIVATIONS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("dense layer" as const),
      from: fc.constant(0),
      bottleneck: fc.constantFrom(8, 16),
      growth: fc.constantFrom(4, 8, 16),
    }),
  },
  fc.record({
    kind: fc.constant("transposed" as const),
    from,
    second: fc.option(fc.nat({ max: 4 })),
    filters: channels,
    nearest: fc.boolean(),
  }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("concat" as const), from, second: from }) },
  fc.record({
    kind: fc.constant("slice" as const),
    from,
    begin: fc.constantFrom(0, 4, 8, 1),
    size: fc.constantFrom(4, 8, 3),
  }),
  fc.record({ kind: fc.constant("add" as const), from, second: fc.nat({ max: 4 }) }),
  fc.record({ kind: fc.constant("pool" as const), from, average: fc.boolean() }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("activation" as const),
      from,
      activation: fc.constantFrom("relu" as const, "relu6" as const, "swish" as const, "sigmoid" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("residual" as const),
      from,
      second: fc.option(fc.nat({ max: 4 })),
      activation: fc.constantFrom("linear" as const, "relu" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("squeeze" as const),
      from,
      filters: fc.constantFrom(4, 3),
      activation: fc.constantFrom("relu" as const, "swish" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("unary" as const), from, name: fc.constantFrom(...UNARY) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("binary" as const),
      from,
      name: fc.constantFrom(...BINARY),
      second: fc.oneof(
        fc.nat({ max: 4 }),
        fc.constantFrom("channels" as const, "mean" as const, "number" as const),
      ),
    }),
  },
  fc.record({ kind: fc.constant("layer norm" as const), from }),
  fc.record({ kind: fc.constant("where" as const), from, second: fc.nat({ max: 4 }) }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("depthwise" as const),
      from,
      size: fc.constantFrom(3 as const, 3 as const, 5 as const),
      strides: fc.constantFrom(1 as const, 1 as const, 2 as const),
    }),
  },
);

export const randomGraph: fc.Arbitrary<RandomGraph> = fc.record({
  x: fc.tuple(
    fc.integer({ min: 2, max: 3 }),
    fc.integer({ min: 4, max: 7 }),
    fc.integer({ min: 4, max: 7 }),
    channels,
  ),
  steps: fc.array(step, { minLength: 3, maxLength: 9, size: "max" }),
  stacked: fc.boolean(),
  kept: fc.array(fc.nat({ max: 6 }), { maxLength: 2 }),
});

const ROLES = ["kernel", "gamma", "beta", "mean", "variance", "bias"] as const;
type Role = (typeof ROLES)[number];
const isState = (role: Role): boolean => role === "mean" || role === "variance";

function valuesOf(role: Role, shape: Shape, seed: number): Float32Array {
  const { data } = randomInput(shape, seed);
  if (role === "kernel")
    return data.map((value) => (2 * value) / Math.sqrt(sizeOf(shape) / shape[shape.length - 1]));
  if (role === "gamma") return data.map((value) => 1 + 0.4 * value);
  return role === "variance" ? data.map((value) => 0.3 + value * value) : data.map((value) => 0.5 * value);
}

/** Gives out variables in the order in which they are asked for. */
type Variables = (role: Role, shape: Shape) => Tensor;

/** Each by itself; `listed` takes them. */
const single =
  (graph: Graph, listed: Map<Role, VariablePart[]>): Variables =>
  (role, shape) => {
    const parts = listed.get(role) ?? [];
    const seed = 1000 * (1 + ROLES.indexOf(role)) + parts.length;
    const own = { name: `${role}_${parts.length}`, shape, initializer: () => valuesOf(role, shape, seed) };
    listed.set(role, [...parts, own]);
    return isState(role)
      ? graph.state(own.name, shape, own.initializer)
      : graph.parameter(own.name, shape, own.initializer);
  };

function stacks(graph: Graph, listed: ReadonlyMap<Role, readonly VariablePart[]>): Variables {
  const given = new Map<Role, number>();
  const made = new Map(
    [...listed].map(([role, parts]) => [
      role,
      isState(role) ? graph.stackedState(role, parts) : graph.stackedParameter(role, parts),
    ]),
  );
  return (role) => {
    const index = given.get(role) ?? 0;
    given.set(role, index + 1);
    return part(made.get(role)!, `${role}_${index}`);
  };
}

const epsilon = 1e-3;
const inFours = ({ shape }: Tensor): boolean => shape[3] % 4 === 0;

/** All tensors of the graph, `x` the first. */
function build(x: Tensor, steps: readonly Step[], variable: Variables): Tensor[] {
  const all = [x];
  const norm = (
    input: Tensor,
    { training, activation }: { training: boolean; activation: (typeof ACTIVATIONS)[number] },
  ): Tensor => {
    const vector = input.shape.slice(-1);
    const [gamma, beta, mean, variance] = (["gamma", "beta", "mean", "variance"] as const).map((role) =>
      variable(role, vector),
    );
    return training
      ? batchNormTraining(input, gamma, beta, mean, variance, { epsilon, momentum: 0.9, activation })
      : batchNormInference(input, gamma, beta, mean, variance, { epsilon, activation });
  };
  const conv = (input: Tensor, size: number, strides: number, filters: number, biased = false): Tensor =>
    conv2d(input, variable("kernel", [size, size, input.shape[3], filters]), {
      ...{ strides, padding: "same" },
      ...(biased && { bias: variable("bias", [filters]) }),
    });
  const back = (tensors: readonly Tensor[], count: number): Tensor =>
    tensors[tensors.length - 1 - (count % tensors.length)];
  for (const step of steps) {
    const input = back(all, step.from);
    const [, height, width, channels] = input.shape;
    const ofExtents = all.filter(({ shape }) => sameShape(shape.slice(0, 3), input.shape.slice(0, 3)));
    switch (step.kind) {
      case "conv":
        all.push(
          conv(input, step.size, Math.min(height, width) < 4 ? 1 : step.strides, step.filters, step.bias),
        );
        break;
      case "transposed": {
        if (height > 7 || width > 7) break;
        const second = step.second === null ? null : back(ofExtents.filter(inFours), step.second);
        const joins = second && inFours(input) && second !== input;
        const images = joins ? ([input, second] as const) : input;
        const inChannels = channels + (joins ? second.shape[3] : 0);
        all.push(
          step.nearest
            ? upsampledConv2d(images, variable("kernel", [3, 3, inChannels, step.filters]))
            : conv2dTranspose(images, variable("kernel", [3, 3, step.filters, inChannels]), {
                ...{ strides: 2, padding: "same" },
              }),
        );
        break;
      }
      case "norm":
        all.push(norm(input, step));
        break;
      case "concat":
        all.push(concat([input, back(ofExtents, step.second)]));
        break;
      case "slice": {
        const begin = Math.min(step.begin, channels - 1);
        all.push(sliceChannels(input, begin, Math.min(step.size, channels - begin)));
        break;
      }
      case "add":
        all.push(
          add(
            input,
            back(
              all.filter(({ shape }) => sameShape(shape, input.shape)),
              step.second,
            ),
          ),
        );
        break;
      case "pool": {
        const pool = step.average ? averagePool2d : maxPool2d;
        const strides = Math.min(height, width) < 4 ? 1 : 2;
        all.push(pool(input, { poolSize: 2, strides, padding: "same" }));
        break;
      }
      case "activation":
        all.push(activation(input, step.activation));
        break;
      case "residual": {
        const alike = all.filter(({ shape }) => sameShape(shape, input.shape));
        const normalized = norm(input, { training: true, activation: "linear" });
        const sum = add(normalized, step.second === null ? input : back(alike, step.second));
        all.push(activation(sum, step.activation));
        break;
      }
      case "squeeze": {
        const mean = reshape(globalAveragePool2d(input), [input.shape[0], 1, 1, channels]);
        const squeezed = activation(conv(mean, 1, 1, step.filters, true), step.activation);
        const factor = activation(conv(squeezed, 1, 1, channels, true), "sigmoid");
        all.push(multiplyChannels(input, factor));
        break;
      }
      case "depthwise": {
        const kernel = variable("kernel", [step.size, step.size, channels, 1]);
        const strides = Math.min(height, width) < 4 ? 1 : step.strides;
        all.push(depthwiseConv2d(input, kernel, { strides, padding: "same" }));
        break;
      }
      case "unary":
        all.push(unaryOps[step.name](input));
        break;
      case "binary": {
        const alike = all.filter(({ shape }) => sameShape(shape, input.shape));
        const others = {
          channels: () => variable("bias", [channels]),
          mean: () => mean(input, { axis: -1, keepDims: true }),
          number: () => 0.75,
        };
        const { second } = step;
        const other = typeof second === "number" ? back(alike, second) : others[second]();
        all.push(binaryOps[step.name](input, other));
        break;
      }
      case "layer norm": {
        const centred = subtract(input, mean(input, { axis: -1, keepDims: true }));
        const variance = mean(square(centred), { axis: -1, keepDims: true });
        const scaled = multiply(multiply(centred, rsqrt(add(variance, 0.1))), variable("gamma", [channels]));
        all.push(add(scaled, variable("beta", [channels])));
        break;
      }
      case "where": {
        const alike = all.filter(({ shape }) => sameShape(shape, input.shape));
        const other = back(alike, step.second);
        all.push(where(greater(input, other), input, multiply(other, 0.1)));
        break;
      }
      case "dense layer": {
        const learned = { training: true, activation: "relu" } as const;
        const middle = conv(norm(input, learned), 1, 1, step.bottleneck);
        all.push(concat([input, conv(norm(middle, learned), 3, 1, step.growth)]));
        break;
      }
    }
  }
  return all;
}

/**
 * Σ y·dy over several tensors, only ever differentiated.
 */
const dots = (ys: readonly Tensor[], dys: readonly Tensor[]): Tensor =>
  ys[0].graph.apply(
    {
      name: "dots",
      outputs: [{ shape: [], dtype: "f32" }],
      lower: () => {
        throw new Error("The seed of the gradients is never computed.");
      },
      gradient: () => [...dys.map((dy) => () => dy), ...dys.map(() => null)],
    },
    [...ys, ...dys],
  ).outputs[0];

/**
 * A program of the graph: what is kept, the gradients by x and by all parameters of what nothing reads; and numbers for all
 * its inputs.
 */
export function goalsOf(
  { x: shape, steps, stacked, kept }: RandomGraph,
  { precision = "f32", seed = 1 }: { precision?: "f32" | "f16" | undefined; seed?: number } = {},
): { goals: Goals; feeds: Record<string, Float32Array> } {
  const listed = new Map<Role, VariablePart[]>();
  let graph = new Graph();
  let x = graph.input("x", shape);
  let all = build(cast(x, precision), steps, single(graph, listed));
  if (stacked) {
    graph = new Graph();
    x = graph.input("x", shape);
    all = build(cast(x, precision), steps, stacks(graph, listed));
  }
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const leaves = all.filter((tensor) => !read.has(tensor) && tensor !== x).map((y) => cast(y, "f32"));
  const feeds: Record<string, Float32Array> = { x: randomInput(shape, seed).data };
  const dys = leaves.map((y, i) => {
    feeds[`dy${i}`] = randomInput(y.shape, 10 + i).data;
    return graph.input(`dy${i}`, y.shape);
  });
  const outputs: Record<string, Tensor> = {};
  for (const count of kept) {
    const tensor = all[Math.max(1, all.length - 1 - count)];
    if (tensor) outputs[`tensor ${all.indexOf(tensor)}`] = cast(tensor, "f32");
  }
  const parameters = [...graph.variables.values()].filter(({ variable }) => variable!.role === "parameter");
  for (const [tensor, gradient] of gradients(dots(leaves, dys), [x, ...parameters]))
    outputs[`d ${tensor.name}`] = gradient;
  return { goals: { outputs }, feeds };
}
