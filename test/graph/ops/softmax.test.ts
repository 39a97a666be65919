import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { softmax } from "../../../src/graph/ops/softmax.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("softmax", () => {
  const gpu = useGpu();

  it.each([[[4, 1000]], [[2, 3, 5, 59]], [[7, 1]], [[1, 3]], [[70, 4]]])(
    "equals tfjs on %j",
    async (shape) => {
      const input = randomInput(shape, 1);
      const dy = randomInput([sizeOf(shape)], 2).data;
      const reference = tfjsReference((x) => tf.softmax(x), [input], dy);
      const result = await runOp(gpu(), softmax, [input], dy);
      expectClose(result.y, reference.y);
      if (shape.at(-1)! > 1) expectClose(result.gradients[0], reference.gradients[0]);
      else expect(result.gradients[0]!.every((value) => value === 0)).toBe(true);
    },
  );

  it("stays finite with huge values", async () => {
    const input = { shape: [2, 3], data: Float32Array.of(1e4, -1e4, 1e4, -1e4, -1e4, -9999) };
    const { y } = await runOp(gpu(), softmax, [input], new Float32Array(6));
    const e = Math.exp(-1);
    expectClose(y, [0.5, 0, 0.5, e / (1 + 2 * e), e / (1 + 2 * e), 1 / (1 + 2 * e)]);
  });

  it("gives the same in pieces along the batch", async () => {
    const input = randomInput([6, 64], 3);
    const dy = randomInput([6 * 64], 4).data;
    const whole = await runOp(gpu(), softmax, [input], dy);
    expect(await runOp(gpu(), softmax, [input], dy, { maxBindingBytes: 512 })).toEqual(whole);
  });

  it("refuses a tensor without a batch", () => {
    expect(() => softmax(new Graph().input("x", [3]))).toThrow(
      'softmax takes floats [batch, .., channels]; "x"',
    );
  });
});
