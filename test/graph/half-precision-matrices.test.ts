import { describe, expect, it } from "vitest";
import type { TestContext } from "vitest";
import type { Tensor } from "../../src/graph/graph.ts";
import { cast } from "../../src/graph/ops/cast.ts";
import { conv2d } from "../../src/graph/ops/conv2d.ts";
import { conv2dTranspose } from "../../src/graph/ops/conv2d-transpose.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import type { Plan } from "../../src/graph/plan.ts";
import { expectClose } from "../helpers/close.ts";
import {
  EMULATED_MATRIX,
  mustEmulate,
  usesMatrices,
  withEmulatedMatrices,
} from "../helpers/emulated-matrices.ts";
import type { EmulatedOperands } from "../helpers/emulated-matrices.ts";
import { useGpu } from "../helpers/gpu.ts";
import { runOp } from "../helpers/op.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";
import { blockNumbers, runBlock } from "./fuse/block.ts";

const opened = useGpu();
const gpu = (operands: EmulatedOperands = "rounded") =>
  mustEmulate(opened()) ? withEmulatedMatrices(opened(), EMULATED_MATRIX, operands) : opened();
const family = "workgroup";

const needsHalf = ({ skip }: TestContext): void => {
  const { features, adapterName } = opened();
  skip(!features.has("shader-f16"), `${adapterName} has no half-precision numbers (shader-f16).`);
};

/** Halves have 11 bits, and operands and results are rounded to them. */
const ROUNDING = 2 ** -10;

describe("products of images in half precision, on subgroup matrices", () => {
  it.for([
    [
      "a strided convolution",
      (x: Tensor, w: Tensor) => conv2d(x, w, { strides: 2, padding: "same" }),
      [3, 3, 12, 8],
      [2, 3, 4, 8],
    ],
    [
      "a transposed convolution of two",
      (x: Tensor, w: Tensor) => conv2dTranspose([x, relu(x)], w, { strides: 2, padding: "same" }),
      [3, 3, 5, 24],
      [2, 10, 14, 5],
    ],
  ] as const)("are those of f32, rounded: %s", async ([, op, kernel, result], context) => {
    needsHalf(context);
    const inputs = [randomInput([2, 5, 7, 12], 1), randomInput(kernel, 2)];
    const { data: dy } = randomInput(result, 3);
    const half = (x: Tensor, w: Tensor): Tensor => cast(op(cast(x, "f16"), w), "f32");
    const expected = await runOp(opened(), op, inputs, dy, { family: "register" });
    const actual = await runOp(gpu(), half, inputs, dy, { family });
    expectClose(actual.y, expected.y, 2 * ROUNDING);
    actual.gradients.forEach((gradient, i) =>
      expectClose(gradient, expected.gradients[i]!, 4 * ROUNDING, `gradient ${i}`),
    );
  });

  it.for([true, false])("make a dense block, training: %s", async (training, context) => {
    needsHalf(context);
    const block = { x: [2, 6, 5, 16], layers: 2, growth: 8, bottleneck: 16 };
    // Numbers of which none is so near to a ReLU's bend that rounding moves it across.
    const numbers = blockNumbers(block, { mean: 1, deviation: 0.7 });
    numbers.last.beta.fill(8);
    const expected = await runBlock(opened(), block, {
      ...{ training, numbers, family: "register", fuse: false },
    });
    let products: Plan["dispatches"] = [];
    // Rounding, which the convolutions above have, makes texts that take half as long again to compile.
    const actual = await runBlock(gpu("f32"), block, {
      ...{ training, numbers, precision: "f16", family },
      inspect: ({ dispatches }) => (products = dispatches.filter(({ kernel }) => kernel.tiling)),
    });
    // Two products a layer; in training two more back, and one for all kernels of a size.
    expect(products.length).toBe(training ? 2 * 4 + 2 : 2 * 2);
    for (const { kernel } of products) expect(usesMatrices(kernel)).toBe(true);
    for (const [name, values] of Object.entries(expected))
      expect(distance(actual[name], values), name).toBeLessThan(2 * ROUNDING);
  });
});

/** ‖actual − expected‖ / ‖expected‖. */
function distance(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const norm = (values: Float32Array): number => Math.hypot(...values);
  return norm(actual.map((value, i) => value - expected[i])) / norm(expected);
}
