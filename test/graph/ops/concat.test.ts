import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { concat, sliceChannels } from "../../../src/graph/ops/concat.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

const leading = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 5 })),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })),
);

describe("concat", () => {
  const gpu = useGpu();
  const join = (...tensors: Tensor[]): Tensor => concat(tensors);

  it("equals tfjs, forward and every gradient, bit by bit", async () => {
    const widths = fc.array(fc.constantFrom<number[]>(1, 3, 4, 5, 32, 59, 64), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(leading, widths, fc.nat(1000), async (outer, widths, seed) => {
        const inputs = widths.map((width, i) => randomInput([...outer, width], seed + i));
        const total = widths.reduce((a, b) => a + b);
        const dy = randomInput([sizeOf(outer) * total], seed + 9).data;
        const { y, gradients } = tfjsReference((...xs) => tf.concat(xs, -1), inputs, dy);
        expect(await runOp(gpu(), join, inputs, dy)).toEqual({ y, gradients });
      }),
      compiledCases(20),
    );
  });

  it("adds both gradients where a tensor is joined with itself", async () => {
    const input = randomInput([2, 4], 1);
    const dy = Float32Array.from({ length: 16 }, (_, i) => i);
    const { gradients } = await runOp(gpu(), (x) => concat([x, x]), [input], dy);
    expect(gradients[0]).toEqual(Float32Array.of(4, 6, 8, 10, 20, 22, 24, 26));
  });

  it("gives the same in pieces along the batch", async () => {
    const inputs = [randomInput([5, 4, 4, 64], 1), randomInput([5, 4, 4, 12], 2)];
    const dy = randomInput([5 * 16 * 76], 3).data;
    const whole = await runOp(gpu(), join, inputs, dy);
    expect(await runOp(gpu(), join, inputs, dy, { maxBindingBytes: 2 * 16 * 76 * 4 })).toEqual(whole);
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const a = graph.input("a", [2, 4, 4, 3]);
    expect(() => concat([])).toThrow("at least one tensor");
    expect(() => concat([a, graph.input("b", [3, 4, 4, 3])])).toThrow(
      'concat: "a" [2, 4, 4, 3] and "b" [3, 4, 4, 3] differ in another axis than 3.',
    );
    expect(() => concat([a, graph.input("c", [2, 3])])).toThrow("differ in another axis");
    expect(() => concat([a], { axis: 4 })).toThrow('concat: "a" [2, 4, 4, 3] has no axis 4');
    expect(() => concat([a, graph.input("whole", [2, 4, 4, 1], "u32")])).toThrow(
      'concat: of "a" [2, 4, 4, 3] and "whole" u32 [2, 4, 4, 1] one is u32: cast it to f32 first.',
    );
  });
});

describe("sliceChannels", () => {
  const gpu = useGpu();

  it.each([
    [0, 4, 12],
    [4, 4, 12],
    [3, 2, 5],
    [1, 58, 59],
    [0, 5, 5],
  ])("equals tfjs: from %i, %i of %i channels", async (begin, size, channels) => {
    const input = randomInput([2, 3, 5, channels], 7);
    const dy = randomInput([30 * size], 8).data;
    const cut = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0, 0, begin], [-1, -1, -1, size]);
    const { y, gradients } = tfjsReference(cut, [input], dy);
    expect(await runOp(gpu(), (x) => sliceChannels(x, begin, size), [input], dy)).toEqual({ y, gradients });
  });

  it("refuses channels that are not there", () => {
    const x = new Graph().input("x", [2, 5]);
    for (const [begin, size] of [
      [3, 3],
      [-1, 2],
      [0, 0],
      [0.5, 1],
    ]) {
      expect(() => sliceChannels(x, begin, size)).toThrow(
        `"x" [2, 5] has no ${size} channels from channel ${begin}`,
      );
    }
  });
});
