import * as tf from "@tensorflow/tfjs-core";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { compile } from "../../src/graph/compile.ts";
import type { CompileOptions } from "../../src/graph/compile.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { Shape } from "../../src/graph/shape.ts";
import { Variables } from "../../src/graph/variables.ts";
import { runOp } from "../helpers/op.ts";
import type { OpInput, RunOpOptions } from "../helpers/op.ts";
import { randomInput, tfjsReference } from "../helpers/tfjs-reference.ts";
import { makeRow, relativeError } from "./row.ts";
import type { Row } from "./row.ts";

const LIMIT = 1e-5;

/** Which kernels to compile, whatever the adapter would get. */
export type Kernels = Pick<CompileOptions, "family" | "subgroupSize">;

/** An op at one shape, and how it is compared. */
export interface KernelCase {
  readonly name: string;
  readonly shape: string;
  /** Compares our result and gradients with those of tfjs's CPU backend, which must be the active one. */
  run(gpu: Gpu): Promise<Row>;
}

interface Numbers {
  readonly y: ArrayLike<number>;
  readonly others: Readonly<Record<string, ArrayLike<number>>>;
}

/** A case of which both sides are computed as the caller likes; results in `others` are compared by name. */
export function kernelCase(
  name: string,
  shape: string,
  ours: (gpu: Gpu) => Promise<Numbers>,
  theirs: () => Numbers | Promise<Numbers>,
): KernelCase {
  const run = async (gpu: Gpu): Promise<Row> => {
    const [actual, expected] = [await ours(gpu), await theirs()];
    const others = Object.entries(expected.others).map(([key, values]) => {
      return [key, relativeError(actual.others[key] ?? [], values)] as const;
    });
    const forward = relativeError(actual.y, expected.y);
    return makeRow({
      part: "kernels",
      case: name,
      shape,
      forward,
      others: Object.fromEntries(others),
      limit: LIMIT,
    });
  };
  return { name, shape, run };
}

type Ours = (...inputs: Tensor[]) => Tensor;
type Theirs = (...inputs: tf.Tensor[]) => tf.Tensor;

export interface OpCaseOptions {
  readonly kernels?: Kernels;
  /** Inputs at the end that are constants to the gradient. */
  readonly constants?: number;
  /** Variables that running the op changes, by name, and what they should then be. */
  readonly states?: Readonly<Record<string, Theirs>>;
}

/**
 * An op `y = f(inputs)` and the gradient of Σ(y·dy) by each input. Inputs are shapes, to be filled with normal numbers,
 * or numbers; those that are u32 (labels) are not given to `theirs` and have no gradient.
 */
export function opCase(
  name: string,
  inputs: Readonly<Record<string, Shape | OpInput>>,
  ours: Ours,
  theirs: Theirs,
  { kernels = {}, constants = 0, states = {} }: OpCaseOptions = {},
): KernelCase {
  const names = Object.keys(inputs);
  const data = numbersOf(inputs);
  const floats = data.filter(({ dtype }) => dtype !== "u32");
  const differentiable = names.filter((_, i) => data[i].dtype !== "u32").slice(0, floats.length - constants);
  const dyOf = (shape: Shape): Float32Array => randomInput(shape, 99).data;

  const forward = async (gpu: Gpu): Promise<Numbers> => {
    const variables = new Variables(gpu);
    try {
      const options: RunOpOptions & Kernels = { variables, constants, ...kernels };
      const { y, gradients } = await runOp(gpu, ours, data, dyOf(outputShape(ours, data)), options);
      const others: Record<string, ArrayLike<number>> = {};
      for (const input of differentiable) others[`d${input}`] = gradients[names.indexOf(input)] ?? [];
      for (const state of Object.keys(states)) others[state] = await variables.read(state);
      return { y, others };
    } finally {
      variables.destroy();
    }
  };
  const reference = (): Numbers => {
    const { y, gradients } = tfjsReference(theirs, floats, dyOf(outputShape(ours, data)));
    const others: Record<string, ArrayLike<number>> = {};
    differentiable.forEach((input, i) => (others[`d${input}`] = gradients[i]));
    for (const [state, f] of Object.entries(states)) others[state] = valueOf(f, floats);
    return { y, others };
  };
  return kernelCase(`${name}${kernelsText(kernels)}`, shapesText(inputs), forward, reference);
}

/** An op without gradient. */
export function forwardCase(
  name: string,
  inputs: Readonly<Record<string, Shape | OpInput>>,
  ours: Ours,
  theirs: (...inputs: OpInput[]) => tf.Tensor,
  { kernels = {} }: Pick<OpCaseOptions, "kernels"> = {},
): KernelCase {
  const data = numbersOf(inputs);
  const forward = async (gpu: Gpu): Promise<Numbers> => {
    const { y, feeds } = build(ours, data);
    const program = await compile(gpu, { outputs: { y }, ...kernels });
    try {
      return { y: (await program.run(feeds)).y, others: {} };
    } finally {
      program.destroy();
    }
  };
  const reference = (): Numbers => {
    const y = theirs(...data);
    const values = y.dataSync();
    y.dispose();
    return { y: values, others: {} };
  };
  return kernelCase(`${name}${kernelsText(kernels)}`, shapesText(inputs), forward, reference);
}

const numbersOf = (inputs: Readonly<Record<string, Shape | OpInput>>): OpInput[] =>
  Object.values(inputs).map((input, i) => ("shape" in input ? input : randomInput(input, i + 1)));

const shapesText = (inputs: Readonly<Record<string, Shape | OpInput>>): string =>
  Object.entries(inputs)
    .map(([name, input]) => `${name} ${("shape" in input ? input.shape : input).join("×")}`)
    .join(", ");

function kernelsText({ family, subgroupSize }: Kernels): string {
  if (!family) return "";
  return subgroupSize === 0 ? ` [${family}, no subgroups]` : ` [${family}]`;
}

function build(ours: Ours, data: readonly OpInput[]): { y: Tensor; feeds: Record<string, OpInput["data"]> } {
  const graph = new Graph();
  const tensors = data.map(({ shape, dtype }, i) => graph.input(`input_${i}`, shape, dtype));
  const feeds = Object.fromEntries(data.map(({ data }, i) => [`input_${i}`, data]));
  return { y: ours(...tensors), feeds };
}

/** What tfjs makes of `f(inputs)`, without gradients. */
const valueOf = (f: Theirs, inputs: readonly OpInput[]): ArrayLike<number> =>
  tf.tidy(() => f(...inputs.map(({ shape, data }) => tf.tensor(data, [...shape]))).dataSync());

const outputShape = (ours: Ours, data: readonly OpInput[]): Shape => build(ours, data).y.shape;

/** Whole numbers below `classes`, every one of them likely. */
export function labels(shape: Shape, classes: number): OpInput {
  const data = Uint32Array.from({ length: sizeOf(shape) }, (_, i) => (i * 7919 + (i >> 3)) % classes);
  return { shape, data, dtype: "u32" };
}

/** Numbers from 0.3 up, as variances are. */
export const positive = (shape: Shape, seed: number): OpInput => ({
  shape,
  data: randomInput(shape, seed).data.map((value) => 0.3 + value * value),
});
