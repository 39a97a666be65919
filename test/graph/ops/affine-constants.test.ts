import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { affineConstants } from "../../../src/graph/ops/affine-constants.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("affineConstants", () => {
  const gpu = useGpu();

  it.each([
    { shape: [2, 5, 7, 3], scale: [2, -0.5, 0.25], offset: [1, 0, -3], maxBindingBytes: undefined },
    { shape: [64, 4, 4, 3], scale: 1 / 127.5, offset: -1, maxBindingBytes: 16 * 4 * 4 * 3 * 4 },
    { shape: [3, 4], scale: [1, 2, 3, 4], offset: 0.5, maxBindingBytes: undefined },
  ])("is x·$scale + $offset, and so is its gradient", async ({ shape, scale, offset, maxBindingBytes }) => {
    const input = randomInput(shape, 1);
    const { data: dy } = randomInput(shape, 2);
    const expected = tfjsReference((x) => tf.add(tf.mul(x, scale), offset), [input], dy);
    const actual = await runOp(gpu(), (x) => affineConstants(x, scale, offset), [input], dy, {
      maxBindingBytes,
    });
    expectClose(actual.y, expected.y, 1e-6);
    expectClose(actual.gradients[0], expected.gradients[0], 1e-6);
  });

  it("refuses numbers that are not as many as channels, or not finite, and many channels", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3]);
    expect(() => affineConstants(x, [1, 2], 0)).toThrow(
      'affineConstants: scale must be one finite number or 3, as many as "x" has channels, not 1, 2.',
    );
    expect(() => affineConstants(x, 1, [0, NaN, 0])).toThrow(/offset must be .* not 0, NaN, 0\./);
    expect(() => affineConstants(graph.input("wide", [2, 17]), 1, 0)).toThrow(/up to 16 channels/);
  });
});
