import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { attentionWeights, softmax } from "../../../src/graph/ops/softmax.ts";
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

describe("attentionWeights", () => {
  const gpu = useGpu();

  it.each([
    { shape: [2, 3, 5, 5], causal: true },
    { shape: [2, 3, 5, 8], causal: true },
    { shape: [2, 2, 16, 64], causal: true },
    { shape: [1, 7, 300], causal: true },
    { shape: [2, 4, 12], causal: false },
    { shape: [3, 1, 1], causal: true },
  ])(
    "is the softmax of what is seen at $shape, causal: $causal, in all families",
    async ({ shape, causal }) => {
      const [queries, keys] = shape.slice(-2);
      const scale = 0.3;
      const theirs = (x: tf.Tensor): tf.Tensor => {
        const scaled = tf.mul(x, scale);
        const mask = tf.linalg.bandPart(tf.ones([queries, keys]), -1, keys - queries);
        return tf.softmax(causal ? tf.where(tf.cast(mask, "bool"), scaled, -1e9) : scaled);
      };
      const input = randomInput(shape, 1);
      const dy = randomInput([sizeOf(shape)], 2).data;
      const reference = tfjsReference(theirs, [input], dy);
      for (const options of [
        { family: "register" },
        { family: "register", subgroupSize: 0 },
        { family: "workgroup" },
      ] as const) {
        const result = await runOp(
          gpu(),
          (x) => attentionWeights(x, { scale, causal }),
          [input],
          dy,
          options,
        );
        expectClose(result.y, reference.y);
        if (keys > 1) expectClose(result.gradients[0], reference.gradients[0]);
        else expect([...result.gradients[0]!].map(Math.abs)).toEqual([0, 0, 0]);
      }
    },
  );

  it("gives the same in pieces along the batch", async () => {
    const input = randomInput([6, 4, 16], 3);
    const dy = randomInput([6 * 64], 4).data;
    const run = (maxBindingBytes?: number): ReturnType<typeof runOp> =>
      runOp(gpu(), (x) => attentionWeights(x, { causal: true }), [input], dy, { maxBindingBytes });
    expect(await run(512)).toEqual(await run());
  });

  it("takes nothing from what is not seen, however large", async () => {
    const input = { shape: [1, 2, 2], data: Float32Array.of(1, 1e30, 2, 1) };
    const { y } = await runOp(
      gpu(),
      (x) => attentionWeights(x, { causal: true }),
      [input],
      new Float32Array(4),
    );
    expectClose(y, [1, 0, 1 / (1 + Math.exp(-1)), 1 / (1 + Math.E)]);
  });

  it("says what does not fit", () => {
    const scores = new Graph().input("scores", [2, 4, 3]);
    expect(() => attentionWeights(scores, { scale: 0 })).toThrow(
      "attentionWeights: scale must be a number above 0, not 0.",
    );
    expect(() => attentionWeights(scores, { causal: true })).toThrow(
      'of the 4 queries of "scores" [2, 4, 3] the first would see none of the 3 keys',
    );
    expect(() => attentionWeights(new Graph().input("scores", [4, 3]))).toThrow("takes scores [.., T, S]");
  });
});
