import { describe, expect, it } from "vitest";
import type { TestContext } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { activation } from "../../src/graph/ops/activation.ts";
import { addN } from "../../src/graph/ops/add-n.ts";
import { add } from "../../src/graph/ops/add.ts";
import { affineConstants } from "../../src/graph/ops/affine-constants.ts";
import { argmax } from "../../src/graph/ops/argmax.ts";
import { batchNormInference, batchNormTraining } from "../../src/graph/ops/batch-norm.ts";
import { biasAdd } from "../../src/graph/ops/bias.ts";
import { cast } from "../../src/graph/ops/cast.ts";
import { concat, sliceChannels } from "../../src/graph/ops/concat.ts";
import { conv2d } from "../../src/graph/ops/conv2d.ts";
import { conv2dTranspose } from "../../src/graph/ops/conv2d-transpose.ts";
import { depthwiseConv2d } from "../../src/graph/ops/depthwise-conv2d.ts";
import { multiplyChannels } from "../../src/graph/ops/multiply-channels.ts";
import { crop2d, zeroPad2d } from "../../src/graph/ops/pad2d.ts";
import type { Sides } from "../../src/kernels/text/window.ts";
import { averagePool2d, globalAveragePool2d, maxPool2d } from "../../src/graph/ops/pool.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { scale } from "../../src/graph/ops/scale.ts";
import { softmax } from "../../src/graph/ops/softmax.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { upsampleBilinear2x } from "../../src/graph/ops/upsample-bilinear2x.ts";
import { upsampleNearest2x } from "../../src/graph/ops/upsample-nearest2x.ts";
import { compile } from "../../src/graph/compile.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { Shape } from "../../src/graph/shape.ts";
import { perItemKernel } from "../../src/kernels/text/per-item.ts";
import { float16ToFloat32 } from "../../src/half-floats.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { isQuick } from "../helpers/quick.ts";
import { runOp } from "../helpers/op.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";
import { blockNumbers, runBlock } from "./fuse/block.ts";

const gpu = useGpu();

const needsHalf = ({ skip }: TestContext): void =>
  skip(!gpu().features.has("shader-f16"), `${gpu().adapterName} has no half-precision numbers (shader-f16).`);

type Op = (x: Tensor, ...rest: Tensor[]) => Tensor;

const vectors = (channels: number): Shape[] => [[channels], [channels], [channels], [channels]];
/** Moving variances must not be negative. */
const state = ({ graph }: Tensor, name: string, channels: number): Tensor =>
  graph.state(name, [channels], () => new Float32Array(channels).fill(1));
const relu2 = { epsilon: 1e-3, activation: "relu" } as const;

const sides = (before: number, after: number): Sides => ({
  top: before,
  bottom: after,
  left: after,
  right: before,
});

/** Ops on images, the first input stored as f16; the others are weights and stay f32. */
const OPS: Record<string, { op: Op; shapes: Shape[] }> = {
  "a 3×3 convolution": {
    op: (x, kernel) => conv2d(x, kernel, { strides: 1, padding: "same" }),
    shapes: [
      [2, 5, 7, 12],
      [3, 3, 12, 8],
    ],
  },
  "a convolution of odd channels": {
    op: (x, kernel) => conv2d(x, kernel, { strides: 2, padding: "same" }),
    shapes: [
      [3, 5, 7, 3],
      [3, 3, 3, 5],
    ],
  },
  "a depthwise convolution": {
    op: (x, kernel) => depthwiseConv2d(x, kernel, { strides: 2, padding: "same" }),
    shapes: [
      [2, 5, 7, 8],
      [3, 3, 8, 1],
    ],
  },
  "a transposed convolution": {
    op: (x, kernel) => conv2dTranspose(x, kernel, { strides: 2, padding: "same" }),
    shapes: [
      [2, 4, 5, 8],
      [3, 3, 12, 8],
    ],
  },
  "a transposed convolution of two": {
    op: (x, kernel) => conv2dTranspose([x, relu(x)], kernel, { strides: 2, padding: "same" }),
    shapes: [
      [2, 4, 5, 8],
      [3, 3, 5, 16],
    ],
  },
  "batch norm of the batch": {
    op: (x, gamma, beta) =>
      batchNormTraining(x, gamma, beta, state(x, "mean", 12), state(x, "variance", 12), {
        ...relu2,
        momentum: 0.9,
      }),
    shapes: [[2, 5, 7, 12], ...vectors(12).slice(0, 2)],
  },
  "batch norm after a convolution": {
    op: (x, kernel, gamma, beta) => {
      const y = conv2d(x, kernel, { strides: 1, padding: "same" });
      const options = { ...relu2, momentum: 0.9 };
      return batchNormTraining(y, gamma, beta, state(x, "mean", 8), state(x, "variance", 8), options);
    },
    shapes: [[2, 5, 7, 12], [1, 1, 12, 8], ...vectors(8).slice(0, 2)],
  },
  "batch norm of 5 channels, given statistics": {
    op: (x, gamma, beta) =>
      batchNormInference(x, gamma, beta, state(x, "mean", 5), state(x, "variance", 5), relu2),
    shapes: [[2, 3, 5, 5], ...vectors(5).slice(0, 2)],
  },
  "max pooling": {
    op: (x) => maxPool2d(x, { poolSize: 3, strides: 2, padding: "same" }),
    shapes: [[2, 7, 5, 8]],
  },
  "average pooling": {
    op: (x) => averagePool2d(x, { poolSize: 2, strides: 2, padding: "valid" }),
    shapes: [[2, 6, 4, 3]],
  },
  "the mean of each image": { op: globalAveragePool2d, shapes: [[3, 4, 5, 6]] },
  "ReLU, a sum and a scale": { op: (x) => scale(add(relu(x), x), 0.5), shapes: [[3, 5, 7]] },
  "activations from the output and from the input": {
    op: (x) => activation(activation(x, "swish"), "sigmoid"),
    shapes: [[3, 5, 8]],
  },
  "zeros around an image, and a crop": {
    op: (x) => crop2d(zeroPad2d(x, sides(1, 2)), sides(2, 1)),
    shapes: [[2, 5, 6, 3]],
  },
  "a sum of three": { op: (x) => addN([x, relu(x), x]), shapes: [[2, 3, 5, 4]] },
  "channels times the sigmoid of their means": {
    op: (x) => multiplyChannels(x, activation(globalAveragePool2d(x), "sigmoid")),
    shapes: [[2, 5, 3, 8]],
  },
  "constants a channel": { op: (x) => affineConstants(x, [2, -1, 0.5], 1), shapes: [[2, 3, 5, 3]] },
  "a bias": { op: biasAdd, shapes: [[2, 3, 5, 7], [7]] },
  upsampling: { op: upsampleNearest2x, shapes: [[2, 3, 5, 4]] },
  "bilinear upsampling": { op: upsampleBilinear2x, shapes: [[2, 3, 5, 4]] },
  "a concatenation and a slice": {
    op: (x) => sliceChannels(concat([x, relu(x)]), 3, 6),
    shapes: [[2, 3, 5, 5]],
  },
  softmax: { op: softmax, shapes: [[3, 5, 7]] },
};

/** Of vectors, of single values, and what is no product. */
const CONVOLUTIONS_IN_TILES = [
  "a 3×3 convolution",
  "a convolution of odd channels",
  "a depthwise convolution",
];

/** Halves have 11 bits. What is summed in f32 and rounded once is off by half a unit of the last; a little more over several ops. */
const ROUNDING = 2 ** -10;

describe("f16", () => {
  it("is how cast stores numbers, rounded, and what comes back is f32", async (context) => {
    needsHalf(context);
    const values = Float32Array.of(0, 1, -2.5, 1 / 3, 1e-5, 65504, 1e6);
    const graph = new Graph();
    const x = graph.input("x", [7]);
    const y = cast(x, "f16");
    const program = await compile(gpu(), { outputs: { y, back: cast(y, "f32") } });
    const result = await program.run({ x: values });
    program.destroy();
    expect(y.dtype).toBe("f16");
    const exact = [0, 1, -2.5, 0.333251953125, 1.0013580322265625e-5, 65504, Infinity];
    expect([...result.y]).toEqual(exact);
    expect([...result.back]).toEqual(exact);
    expect(program.summary.arenaBytes).toBe(16 + 28);
  });

  it.for(Object.entries(OPS))("holds what %s reads and writes", async ([name, { op, shapes }], context) => {
    needsHalf(context);
    const inputs = shapes.map((shape, i) => randomInput(shape, 30 + i));
    // What is rounded already is not rounded again.
    inputs[0].data.set(rounded(inputs[0].data));
    const half: Op = (x, ...rest) => cast(op(cast(x, "f16"), ...rest), "f32");
    const graph = new Graph();
    const shape = op(...(shapes.map((each, i) => graph.input(`x${i}`, each)) as [Tensor])).shape;
    const dy = rounded(randomInput(shape, 40).data);
    const expected = await runOp(gpu(), op, inputs, dy);
    // The other convolutions' tiles in workgroup memory take seconds more each to compile, and load and store as these do.
    const tiled = isQuick ? ["a 3×3 convolution"] : CONVOLUTIONS_IN_TILES;
    const onlyRegister = /convolution/.test(name) && !tiled.includes(name);
    for (const family of onlyRegister ? (["register"] as const) : (["register", "workgroup"] as const)) {
      const actual = await runOp(gpu(), half, inputs, dy, { family });
      expectClose(actual.y, expected.y, ROUNDING);
      actual.gradients.forEach((gradient, i) =>
        expectClose(gradient, expected.gradients[i]!, 4 * ROUNDING, `gradient ${i}`),
      );
    }
  });

  it("holds a dense block, whose sum of gradients stays f32", async (context) => {
    needsHalf(context);
    const block = { x: [2, 6, 5, 16], layers: 3, growth: 8, bottleneck: 16 };
    // Few of them near the bend of a ReLU, where rounding decides what passes.
    const numbers = blockNumbers(block, { mean: 1, deviation: 0.7 });
    for (const training of [true, false]) {
      const expected = await runBlock(gpu(), block, { training, numbers, fuse: false });
      const actual = await runBlock(gpu(), block, { training, numbers, precision: "f16" });
      for (const [name, values] of Object.entries(expected)) {
        if (!name.startsWith("d")) expectClose(actual[name], values, 8 * ROUNDING, name);
        // Where rounding moves a number across a ReLU's bend, single gradients are another ones altogether.
        else expect(distance(actual[name], values), name).toBeLessThan(0.03);
      }
    }
  });

  it("of logits gives an f32 loss, the likeliest class, and a gradient that is scaled before it is rounded", async (context) => {
    needsHalf(context);
    const [shape, factor] = [[2, 9, 9, 6], 2 ** 15];
    const { data } = randomInput(shape, 50);
    const labels = Uint32Array.from({ length: 162 }, (_, i) => i % 6);
    const run = async (precision: "f32" | "f16"): Promise<Record<string, Float32Array | Uint32Array>> => {
      const graph = new Graph();
      const x = graph.input("x", shape);
      const logits = cast(x, precision);
      const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", shape.slice(0, 3), "u32"));
      const slope = gradients(scale(loss, graph.input("factor", [])), [x]).get(x)!;
      const outputs = { loss, slope, classes: argmax(logits) };
      const program = await compile(gpu(), { outputs });
      const result = await program.run({ x: rounded(data), labels, factor: Float32Array.of(factor) });
      program.destroy();
      return result;
    };
    const [expected, actual] = [await run("f32"), await run("f16")];
    expectClose(actual.loss, expected.loss, 1e-6);
    expect(actual.classes).toEqual(expected.classes);
    expectClose(actual.slope, expected.slope, ROUNDING);
  });

  it("is stored by a kernel of one's own wherever it stores", async (context) => {
    needsHalf(context);
    // Values inside values, several on one line, and in the head of a loop.
    const body = /* wgsl */ `let x = load_x(index); store_y(index, x); if (x < 0.0) { store_y(index, -load_y(index)); }
      for (var i = 0u; i < 3u; store_y(index, load_y(index) + load_x(u32(load_x(0u))))) { i++; }`;
    const own = (x: Tensor): Tensor =>
      x.graph.apply(
        {
          name: "own",
          outputs: [x],
          lower: (l, [y]) => {
            const read = { x: "array<f32>" };
            const write = { y: "array<f32>" };
            l.dispatch(perItemKernel(l.target, 4, { label: "own", read, write, body }), { x, y });
          },
        },
        [x],
      ).outputs[0];
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const half = own(cast(x, "f16"));
    const program = await compile(gpu(), { outputs: { half, single: own(x) } });
    const result = await program.run({ x: Float32Array.of(2, -0.5, 1 / 4, -2048) });
    program.destroy();
    expect(half.dtype).toBe("f16");
    expect([...result.single]).toEqual([2.75, 1.25, 1, 2048.75]);
    // Each of the three sums is rounded: 2048 + 1/4 is 2048.
    expect([...result.half]).toEqual([2.75, 1.25, 1, 2048]);
  });

  it("cuts a batch so that every part begins where a binding may", async (context) => {
    needsHalf(context);
    // 3·5·7 halves an image, which is no multiple of 4 bytes.
    const input = randomInput([300, 3, 5, 7], 60);
    input.data.set(rounded(input.data));
    const op: Op = (x) => cast(scale(cast(x, "f16"), 2), "f32");
    const { y } = await runOp(gpu(), op, [input], new Float32Array(sizeOf(input.shape)), {
      maxBindingBytes: 128 * 4 * 105,
    });
    expect(y).toEqual(input.data.map((value) => 2 * value));
  });

  it("is refused where a number is no float, and cannot be fed", () => {
    const graph = new Graph();
    const labels = graph.input("labels", [2], "u32");
    expect(() => cast(labels, "f16")).toThrow('cast makes f32 of u32, not f16; "labels" is u32 [2]');
    const x = graph.input("x", [2]);
    expect(cast(x, "f32")).toBe(x);
  });
});

/** ‖actual − expected‖ / ‖expected‖. */
function distance(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));
  return norm(actual.map((value, i) => value - expected[i])) / norm(expected);
}

/** The nearest halves, as an f32 each. */
function rounded(values: Float32Array): Float32Array {
  const halves = float16ToFloat32(Uint16Array.from({ length: 0x7c00 }, (_, i) => i));
  return values.map((value) => {
    const size = Math.abs(value);
    let [low, high] = [0, halves.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (halves[middle] <= size) low = middle;
      else high = middle;
    }
    return Math.sign(value) * (size - halves[low] <= halves[high] - size ? halves[low] : halves[high]);
  });
}
