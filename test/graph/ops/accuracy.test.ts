import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { accuracy } from "../../../src/graph/ops/accuracy.ts";
import { argmax } from "../../../src/graph/ops/argmax.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

describe("argmax and accuracy", () => {
  const gpu = useGpu();

  async function run(shape: Shape, logits: Float32Array, labels: Uint32Array, maxBindingBytes?: number) {
    const graph = new Graph();
    const x = graph.input("x", shape);
    const truth = graph.input("labels", shape.slice(0, -1), "u32");
    const outputs = {
      index: argmax(x),
      mean: accuracy(x, truth),
      perImage: accuracy(x, truth, { reduction: "per-image" }),
    };
    const program = await compile(gpu(), { outputs, maxBindingBytes });
    try {
      return await program.run({ x: logits, labels });
    } finally {
      program.destroy();
    }
  }

  it("equal tfjs, the lowest index of equal values", async () => {
    const extent = fc.integer({ min: 1, max: 12 });
    const outer = fc.oneof(fc.tuple(extent), fc.tuple(extent, extent, extent));
    const cases = [outer, fc.constantFrom(1, 2, 3, 5, 59), fc.constantFrom(0, 2), fc.nat(1000)] as const;
    await fc.assert(
      fc.asyncProperty(...cases, async (outer, classes, levels, seed) => {
        const shape = [...outer, classes];
        const logits = randomInput(shape, seed, { levels }).data;
        const expected = tf.tidy(() => tf.argMax(tf.tensor(logits, shape), -1).dataSync());
        // Labels that are right at about half of the pixels.
        const right = randomInput(outer, seed + 1).data.map((value) => (value > 0 ? 1 : 0));
        const labels = Uint32Array.from(expected, (index, i) => (right[i] ? index : index + 1));
        const { index, mean, perImage } = await run(shape, logits, labels);
        expect([...index]).toEqual([...expected]);
        const pixels = right.length / outer[0];
        const shares = Array.from({ length: outer[0] }, (_, image) => {
          const part = right.subarray(image * pixels, (image + 1) * pixels);
          return part.reduce((a, b) => a + b, 0) / pixels;
        });
        expectClose(perImage, shares, 1e-6);
        expectClose(mean, [shares.reduce((a, b) => a + b) / shares.length], 1e-6);
      }),
      compiledCases(20),
    );
  });

  it("give the same in pieces along the batch", async () => {
    const shape = [9, 8, 8, 6];
    const logits = randomInput(shape, 1).data;
    const labels = Uint32Array.from({ length: 9 * 64 }, (_, i) => i % 6);
    const whole = await run(shape, logits, labels);
    expect(await run(shape, logits, labels, 2 * 64 * 6 * 4)).toEqual(whole);
  });

  it("have no gradient, and say what does not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3, 5]);
    const share = accuracy(x, graph.input("labels", [2, 3], "u32"));
    expect(() => gradients(share, [x])).toThrow("only the cross-entropy has a gradient");
    expect(() => accuracy(x, graph.input("short", [2], "u32"))).toThrow(
      'take u32 labels [2, 3]; "short" is u32 [2]',
    );
    expect(argmax(graph.input("vector", [5])).shape).toEqual([]);
    expect(() => argmax(x, { axis: 3 })).toThrow(
      'argmax: "x" [2, 3, 5] has no axis 3: name one from -3 to 2.',
    );
    expect(() => argmax(graph.input("whole", [5], "u32"))).toThrow('argmax takes floats; "whole" is u32 [5]');
  });
});
