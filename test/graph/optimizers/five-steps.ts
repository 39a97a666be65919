import type { Gpu } from "../../../src/gpu/gpu.ts";
import { Graph, partValues } from "../../../src/graph/graph.ts";
import type { Node, Tensor } from "../../../src/graph/graph.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import type { VariableValues } from "../../../src/graph/variables.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

/** Two kernels, one of them in a stack with a third, and what has no axis or one. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  ...{ kernel: [4, 3, 16, 4], bias: [7], scalar: [] },
  ...{ "a/kernel": [3, 3, 2, 5], "b/kernel": [6, 11], "a/gamma": [9], "b/gamma": [64] },
};
const STACKS = { kernels: ["a/kernel", "b/kernel"], gammas: ["a/gamma", "b/gamma"] };
export const RATES = [1e-2, 1e-3, 1e-1, 3e-3, 1e-2].map(Math.fround);

/** Bytes of a binding that `kernel` does not fit into. */
export const CUT = 2 * 3 * 16 * 4 * 4;

export const beginning = (name: string): Float32Array => randomInput(SHAPES[name], 1).data;

/** Gradients of very different sizes, some as small as epsilon, and none at all. */
export const gradientAt = (name: string, step: number): Float32Array =>
  randomInput(SHAPES[name], step + 2).data.map((value, i) => (i % 8 === 7 ? 0 : value * 10 ** -(i % 8)));

/** A learning rate's scale for some of them. */
export const slowlyNamed = (name: string): number =>
  ({ kernel: 0.25, scalar: 0.5 })[name] ?? (name.includes("/") ? 0.1 : 1);
export const slowly = ({ name }: Tensor): number => (name in STACKS ? 0.1 : slowlyNamed(name));

/**
 * What five steps, each with its learning rate, leave of the parameters of {@link SHAPES} and their slots.
 *
 * @param first, end of the steps made
 * @param values to go on from
 */
export async function fiveSteps(
  gpu: Gpu,
  optimizer: (gradients: ReadonlyMap<Tensor, Tensor>, options: { learningRate: Tensor }) => Node[],
  {
    maxBindingBytes,
    first = 0,
    end = RATES.length,
    values,
  }: {
    maxBindingBytes?: number;
    first?: number;
    end?: number;
    values?: Map<string, VariableValues>;
  } = {},
): Promise<Map<string, VariableValues>> {
  const graph = new Graph();
  const inStacks = Object.values(STACKS).flat();
  const parameters = Object.keys(SHAPES)
    .filter((name) => !inStacks.includes(name))
    .map((name) => graph.parameter(name, SHAPES[name], () => beginning(name)));
  for (const [stack, names] of Object.entries(STACKS)) {
    const parts = names.map((name) => ({ name, shape: SHAPES[name], initializer: () => beginning(name) }));
    parameters.push(graph.stackedParameter(stack, parts));
  }
  const slopes = parameters.map((w) => [w, graph.input(`${w.name} gradient`, w.shape)] as const);
  const updates = optimizer(new Map(slopes), { learningRate: graph.input("rate", []) });
  const variables = new Variables(gpu, { values });
  const program = await compile(gpu, {
    ...{ outputs: {}, updates, variables },
    ...(maxBindingBytes && { maxBindingBytes }),
  });
  try {
    for (let step = first; step < end; step++) {
      const feeds = slopes.map(([w, { name, shape }]) => {
        const gradient = new Float32Array(shape.reduce((a, b) => a * b, 1));
        for (const part of partValues(w, gradient)) part.values.set(gradientAt(part.name, step));
        return [name, gradient] as const;
      });
      await program.run({ rate: Float32Array.of(RATES[step]), ...Object.fromEntries(feeds) });
    }
    return await variables.readAll();
  } finally {
    program.destroy();
    variables.destroy();
  }
}
