import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { biasAdd } from "../../../src/graph/ops/bias.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("biasAdd", () => {
  const gpu = useGpu();

  async function compare(shape: Shape, maxBindingBytes?: number): Promise<void> {
    const inputs = [randomInput(shape, 1), randomInput(shape.slice(-1), 2)];
    const { data: dy } = randomInput(shape, 3);
    const actual = await runOp(gpu(), biasAdd, inputs, dy, { maxBindingBytes });
    const expected = tfjsReference((x, bias) => tf.add(x, bias), inputs, dy);
    expectClose(actual.y, expected.y);
    expectClose(actual.gradients[0], expected.gradients[0], 0);
    expectClose(actual.gradients[1], expected.gradients[1]);
  }

  it.each<{ shape: Shape }>([
    { shape: [2, 32, 32, 59] },
    { shape: [1, 7, 5, 3] },
    { shape: [3, 8, 8, 64] },
    { shape: [2, 3, 5, 130] },
    { shape: [4, 9, 9, 1] },
    { shape: [6, 1000] },
  ])("is tfjs's add at $shape, and so are its gradients", ({ shape }) => compare(shape));

  it("is tfjs's add at any shape", async () => {
    const extent = fc.integer({ min: 1, max: 9 });
    const shape = fc.tuple(extent, extent, extent, fc.integer({ min: 1, max: 40 }));
    await fc.assert(
      fc.asyncProperty(shape, (shape) => compare(shape)),
      { numRuns: 10, seed: 1 },
    );
  });

  it("is the same when the batch is cut", () => compare([5, 8, 8, 20], 2 * 8 * 8 * 20 * 4));

  it("says which channels do not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 4]);
    expect(() => biasAdd(x, graph.input("bias", [3]))).toThrow('"bias" is [3] and must be [4]');
  });
});
