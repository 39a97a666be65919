import { describe, expect, it } from "vitest";
import { gradients } from "../../../../src/graph/gradients.ts";
import { Graph } from "../../../../src/graph/graph.ts";
import type { Tensor } from "../../../../src/graph/graph.ts";
import { batchNormInference, batchNormTraining } from "../../../../src/graph/ops/batch-norm.ts";
import { concat } from "../../../../src/graph/ops/concat.ts";
import { conv2d } from "../../../../src/graph/ops/conv2d.ts";
import { denseBlock } from "../../../../src/graph/ops/dense-block/dense-block.ts";
import { compile } from "../../../../src/graph/program.ts";
import type { CompileOptions } from "../../../../src/graph/program.ts";
import { sizeOf } from "../../../../src/graph/shape.ts";
import type { Shape } from "../../../../src/graph/shape.ts";
import { Variables } from "../../../../src/graph/variables.ts";
import { expectClose } from "../../../helpers/close.ts";
import { useGpu } from "../../../helpers/gpu.ts";
import { randomInput } from "../../../helpers/tfjs-reference.ts";

const gpu = useGpu();
const EPSILON = 1.001e-5;
const MOMENTUM = 0.9;

interface Block {
  readonly x: Shape;
  readonly layers: number;
  readonly growth: number;
  readonly bottleneck: number;
}

/** The numbers of one batch norm of one layer. */
const normNumbers = (channels: number, seed: number): Float32Array[] => {
  const random = (n: number): Float32Array => randomInput([channels], seed + n).data;
  return [
    random(0).map((v) => 1 + 0.4 * v),
    random(1).map((v) => 0.5 * v),
    random(2),
    random(3).map((v) => 0.3 + v * v),
  ];
};

/** The parameters, layer by layer and kind by kind: γ, β, moving mean and variance, kernel, of each convolution. */
function parameterNumbers({ x, layers, growth, bottleneck }: Block): {
  norm1: Float32Array[];
  kernel1: Float32Array;
  norm2: Float32Array[];
  kernel2: Float32Array;
}[] {
  return Array.from({ length: layers }, (_, layer) => {
    const channels = x[3] + layer * growth;
    const scaled = (shape: Shape, seed: number): Float32Array => {
      const fan = sizeOf(shape.slice(0, 3));
      return (randomInput(shape, seed).data as Float32Array).map((v) => (2 * v) / Math.sqrt(fan));
    };
    return {
      norm1: normNumbers(channels, 100 * layer),
      kernel1: scaled([1, 1, channels, bottleneck], 100 * layer + 10),
      norm2: normNumbers(bottleneck, 100 * layer + 20),
      kernel2: scaled([3, 3, bottleneck, growth], 100 * layer + 30),
    };
  });
}

const join = (parts: Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

type Results = Record<string, Float32Array>;

/** y, the gradients of Σ(y·dy) and the moved statistics; of the parameters stacked as the fused block has them. */
async function run(
  block: Block,
  form: "fused" | "plain",
  training: boolean,
  options: Partial<CompileOptions> = {},
): Promise<Results> {
  const graph = new Graph();
  const numbers = parameterNumbers(block);
  const x = graph.input("x", block.x);
  const { layers, growth, bottleneck } = block;
  const state = (name: string, data: Float32Array): Tensor => graph.state(name, [data.length], () => data);
  const learned: Record<string, Tensor[]> = {};
  const parameter = (
    kind: string,
    name: string,
    data: Float32Array,
    shape: Shape = [data.length],
  ): Tensor => {
    const tensor = graph.parameter(name, shape, () => data);
    (learned[kind] ??= []).push(tensor);
    return tensor;
  };
  let y: Tensor;
  if (form === "fused") {
    const stack = (pick: (layer: (typeof numbers)[number]) => Float32Array): Float32Array =>
      join(numbers.map(pick));
    const norm = (which: "norm1" | "norm2", n: string) => ({
      gamma: parameter(
        `gamma${n}`,
        `gamma${n}`,
        stack((layer) => layer[which][0]),
      ),
      beta: parameter(
        `beta${n}`,
        `beta${n}`,
        stack((layer) => layer[which][1]),
      ),
      movingMean: state(
        `mean${n}`,
        stack((layer) => layer[which][2]),
      ),
      movingVariance: state(
        `variance${n}`,
        stack((layer) => layer[which][3]),
      ),
    });
    y = denseBlock(
      x,
      {
        norm1: norm("norm1", "1"),
        kernel1: parameter(
          "kernel1",
          "kernel1",
          stack(({ kernel1 }) => kernel1),
        ),
        norm2: norm("norm2", "2"),
        kernel2: parameter(
          "kernel2",
          "kernel2",
          stack(({ kernel2 }) => kernel2),
        ),
      },
      { layers, growth, bottleneck, epsilon: EPSILON, momentum: training ? MOMENTUM : null },
    );
  } else {
    y = x;
    numbers.forEach((layer, i) => {
      const normRelu = (input: Tensor, which: "norm1" | "norm2", n: string): Tensor => {
        const [gamma, beta, mean, variance] = layer[which];
        const tensors = [
          parameter(`gamma${n}`, `gamma${n}_${i}`, gamma),
          parameter(`beta${n}`, `beta${n}_${i}`, beta),
          state(`mean${n}_${i}`, mean),
          state(`variance${n}_${i}`, variance),
        ] as const;
        const relu = { epsilon: EPSILON, activation: "relu" } as const;
        return training
          ? batchNormTraining(input, ...tensors, { ...relu, momentum: MOMENTUM })
          : batchNormInference(input, ...tensors, relu);
      };
      const kernel = (n: string, data: Float32Array, shape: Shape): Tensor =>
        parameter(`kernel${n}`, `kernel${n}_${i}`, data, shape);
      const channels = y.shape[3];
      const middle = conv2d(
        normRelu(y, "norm1", "1"),
        kernel("1", layer.kernel1, [1, 1, channels, bottleneck]),
        {
          strides: 1,
          padding: "same",
        },
      );
      const added = conv2d(
        normRelu(middle, "norm2", "2"),
        kernel("2", layer.kernel2, [3, 3, bottleneck, growth]),
        { strides: 1, padding: "same" },
      );
      y = concat([y, added]);
    });
  }
  const variables = new Variables(gpu());
  const outputs: Record<string, Tensor> = { y };
  const dy = graph.input("dy", y.shape);
  if (training) {
    const wrt = [x, ...Object.values(learned).flat()];
    const found = gradients(dot(y, dy), wrt);
    outputs.dx = found.get(x)!;
    for (const [kind, tensors] of Object.entries(learned)) {
      tensors.forEach((tensor, i) => (outputs[`d${kind}:${i}`] = found.get(tensor)!));
    }
  }
  const program = await compile(gpu(), { outputs, variables, ...options });
  try {
    const feeds = {
      x: (randomInput(block.x, 7).data as Float32Array).map((v, i) => v * (1 + (i % 3)) + 0.3),
      ...(training && { dy: randomInput(y.shape, 8).data as Float32Array }),
    };
    const result = (await program.run(feeds)) as Results;
    const joined: Results = { y: result.y };
    if (training) {
      joined.dx = result.dx;
      for (const [kind, tensors] of Object.entries(learned)) {
        joined[`d${kind}`] = join(tensors.map((_, i) => result[`d${kind}:${i}`]));
      }
      for (const kind of ["mean1", "variance1", "mean2", "variance2"]) {
        const names = [...variables.shapes().keys()].filter((name) => name.split("_")[0] === kind);
        joined[kind] = join(await Promise.all(names.map((name) => variables.read(name))));
      }
    }
    return joined;
  } finally {
    program.destroy();
    variables.destroy();
  }
}

/** Σ(y·dy), only ever differentiated. */
function dot(y: Tensor, dy: Tensor): Tensor {
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

const BLOCKS: Record<string, Block> = {
  "one layer": { x: [2, 5, 4, 8], layers: 1, growth: 4, bottleneck: 8 },
  "three layers of odd extents": { x: [3, 5, 7, 12], layers: 3, growth: 8, bottleneck: 20 },
  "DenseNet121's first channels": { x: [2, 8, 8, 64], layers: 4, growth: 32, bottleneck: 128 },
};

describe.each(["register", "workgroup"] as const)("denseBlock with %s tiles", (family) => {
  it.each(Object.entries(BLOCKS))("is what its layers make one after the other: %s", async (_, block) => {
    const fused = await run(block, "fused", true, { family });
    const plain = await run(block, "plain", true);
    expect(Object.keys(fused)).toEqual(Object.keys(plain));
    for (const [name, expected] of Object.entries(plain)) {
      expect(expected.length, name).toBeGreaterThan(0);
      expectClose(fused[name], expected, 1e-5, name);
    }
  });
});
