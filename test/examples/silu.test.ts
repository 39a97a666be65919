import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { silu } from "../../examples/silu.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { runOp } from "../helpers/op.ts";
import { randomInput, tfjsReference } from "../helpers/tfjs-reference.ts";

describe("silu", () => {
  const gpu = useGpu();

  it.each([[[6]], [[2, 3, 5, 7]], [[4, 64]]])(
    "is tfjs's x · sigmoid(x) at %j, and so is its gradient",
    async (shape) => {
      const inputs = [randomInput(shape, 1)];
      const { data: dy } = randomInput(shape, 2);
      const actual = await runOp(gpu(), silu, inputs, dy);
      const expected = tfjsReference((x) => tf.mul(x, tf.sigmoid(x)), inputs, dy);
      expectClose(actual.y, expected.y);
      expectClose(actual.gradients[0], expected.gradients[0]);
    },
  );

  it("has the gradient that finite differences find", async () => {
    const x = Float32Array.from({ length: 33 }, (_, i) => (i - 16) / 4);
    const at = async (shift: number): Promise<Float32Array> => {
      const data = x.map((value) => value + shift);
      return (await runOp(gpu(), silu, [{ shape: [33], data }], new Float32Array(33))).y;
    };
    const ones = new Float32Array(33).fill(1);
    const { gradients } = await runOp(gpu(), silu, [{ shape: [33], data: x }], ones);
    // A power of two shifts these values without rounding.
    const step = 2 ** -7;
    const [above, below] = [await at(step), await at(-step)];
    const differences = above.map((value, i) => (value - below[i]) / (2 * step));
    expectClose(gradients[0], differences, 1e-3);
  });

  it("stays finite far out", async () => {
    const data = Float32Array.of(-1e4, -100, 0, 100, 1e4);
    const { y, gradients } = await runOp(gpu(), silu, [{ shape: [5], data }], new Float32Array(5).fill(1));
    const near = (actual: ArrayLike<number> | null, expected: number[]): void =>
      expected.forEach((value, i) => expect(actual![i]).toBeCloseTo(value, 5));
    near(y, [0, 0, 0, 100, 1e4]);
    near(gradients[0], [0, 0, 0.5, 1, 1]);
  });

  it("is the same when the batch is cut", async () => {
    const inputs = [randomInput([6, 64], 3)];
    const { data: dy } = randomInput([6, 64], 4);
    const whole = await runOp(gpu(), silu, inputs, dy);
    expect(await runOp(gpu(), silu, inputs, dy, { maxBindingBytes: 2 * 64 * 4 })).toEqual(whole);
  });
});
