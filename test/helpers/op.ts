import type { Gpu } from "../../src/gpu/gpu.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { compile } from "../../src/graph/compile.ts";
import { shapeText, sizeOf } from "../../src/graph/shape.ts";
import type { Shape } from "../../src/graph/shape.ts";
import type { Variables } from "../../src/graph/variables.ts";

export interface OpInput {
  readonly shape: Shape;
  readonly data: Float32Array | Uint32Array;
  /** `f32` by default; a `u32` input has no gradient. */
  readonly dtype?: "f32" | "u32";
}

export interface RunOpOptions {
  /** A pretended limit on the bytes of one binding, to see work cut along the batch. */
  readonly maxBindingBytes?: number;
  /** The family of matrix kernels; the adapter's own by default. */
  readonly family?: "register" | "workgroup";
  /** Lanes that share work by shuffles, 0 for none; the adapter's own by default. */
  readonly subgroupSize?: number;
  /** Inputs at the end whose gradient is not asked for. */
  readonly constants?: number;
  /** Where variables that `f` makes live; the caller frees them. */
  readonly variables?: Variables;
}

/**
 * Computes `y = f(inputs)` on `gpu` and the gradient of Σ(y·dy) with respect to each input; `null` for an input of
 * integers or a constant. `dy` has as many values as `y`.
 */
export async function runOp(
  gpu: Gpu,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly OpInput[],
  dy: Float32Array,
  { constants = 0, ...options }: RunOpOptions = {},
): Promise<{ y: Float32Array; gradients: (Float32Array | null)[] }> {
  const graph = new Graph();
  const tensors = inputs.map(({ shape, dtype }, i) => graph.input(`input_${i}`, shape, dtype));
  const y = f(...tensors);
  if (sizeOf(y.shape) !== dy.length) {
    throw new Error(`The op's output is ${shapeText(y.shape)} and dy has ${dy.length} values.`);
  }
  const loss = dot(y, graph.input("dy", y.shape));
  const differentiable = tensors.slice(0, tensors.length - constants).filter(({ dtype }) => dtype === "f32");
  const found = gradients(loss, differentiable);
  const outputs: Record<string, Tensor> = { y };
  tensors.forEach((tensor, i) => {
    const gradient = found.get(tensor);
    if (gradient) outputs[`gradient_${i}`] = gradient;
  });
  const program = await compile(gpu, { outputs, ...options });
  try {
    const feeds = Object.fromEntries(inputs.map(({ data }, i) => [`input_${i}`, data]));
    const needed = new Set(program.plan.inputs.map(({ name }) => name));
    const all = Object.entries({ ...feeds, dy }).filter(([name]) => needed.has(name));
    const result = (await program.run(Object.fromEntries(all))) as Record<string, Float32Array | undefined>;
    return { y: result.y!, gradients: tensors.map((_, i) => result[`gradient_${i}`] ?? null) };
  } finally {
    program.destroy();
  }
}

/** Σ(y·dy), only ever differentiated: its gradient is `dy` itself, and no program asks for its value. */
export function dot(y: Tensor, dy: Tensor): Tensor {
  return y.graph.apply(
    {
      name: "dot",
      outputs: [{ shape: [], dtype: "f32" }],
      lower: () => {
        throw new Error("The seed of the gradients is never computed.");
      },
      gradient: () => [() => dy, null],
    },
    [y, dy],
  ).outputs[0];
}
