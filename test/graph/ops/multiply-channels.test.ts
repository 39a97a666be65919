import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { multiplyChannels } from "../../../src/graph/ops/multiply-channels.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("multiplyChannels", () => {
  const gpu = useGpu();

  it.each([
    { x: [2, 5, 7, 12], factor: [2, 12], maxBindingBytes: undefined },
    { x: [3, 9, 8, 5], factor: [3, 1, 1, 5], maxBindingBytes: undefined },
    { x: [1, 34, 31, 4], factor: [1, 4], maxBindingBytes: undefined },
    { x: [5, 4, 4, 64], factor: [5, 1, 1, 64], maxBindingBytes: 2 * 4 * 4 * 64 * 4 },
  ])(
    "$x by $factor is tfjs's, and so are both gradients, in bindings of $maxBindingBytes bytes",
    async ({ x, factor, maxBindingBytes }) => {
      const inputs = [randomInput(x, 1), randomInput(factor, 2)];
      const { data: dy } = randomInput(x, 3);
      const theirs = (x: tf.Tensor, factor: tf.Tensor): tf.Tensor =>
        tf.mul(x, tf.reshape(factor, [x.shape[0], 1, 1, x.shape[3]!]));
      const expected = tfjsReference(theirs, inputs, dy);
      for (const family of ["register", "workgroup"] as const) {
        const actual = await runOp(gpu(), multiplyChannels, inputs, dy, { family, maxBindingBytes });
        expectClose(actual.y, expected.y);
        expectClose(actual.gradients[0], expected.gradients[0]);
        expectClose(actual.gradients[1], expected.gradients[1]);
      }
    },
  );

  it("refuses a factor that does not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 4, 4, 3]);
    for (const shape of [[2, 4], [1, 3], [2, 1, 3], [3]])
      expect(() => multiplyChannels(x, graph.input(shape.join(), shape))).toThrow(
        /a factor \[N, 1, 1, C\] or \[N, C\]/,
      );
  });
});
