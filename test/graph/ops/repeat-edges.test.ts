import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { bilinearSums } from "../../../src/graph/ops/bilinear-sums.ts";
import { repeatEdges } from "../../../src/graph/ops/repeat-edges.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

describe("edges that are repeated", () => {
  const gpu = useGpu();
  const theirs = (x: tf.Tensor): tf.Tensor =>
    tf.mirrorPad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "symmetric"); // prettier-ignore
  const values = (shape: number[], data: ArrayLike<number>): Float32Array =>
    tf.tidy(() => theirs(tf.tensor(Float32Array.from(data), shape)).dataSync<"float32">());

  it("equal tfjs, and their gradients finite differences", async () => {
    const extent = fc.integer({ min: 1, max: 4 });
    const shapes = fc.tuple(fc.integer({ min: 1, max: 3 }), extent, extent, fc.constantFrom(1, 3, 4, 8));
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(1000), async (shape, seed) => {
        const input = randomInput(shape, seed);
        const { data: dy } = randomInput([shape[0], shape[1] + 2, shape[2] + 2, shape[3]], seed + 1);
        const { y, gradients } = await runOp(gpu(), repeatEdges, [input], dy);
        expect(y).toEqual(values(shape, input.data));
        // Linear, so that a step may be long.
        const [expected] = finiteDifferences(([x]) => dotProduct(values(shape, x), dy), [input.data], 0.25);
        expectClose(gradients[0], expected, 1e-5);
      }),
      compiledCases(10),
    );
  });

  it("give the same in pieces along the batch", async () => {
    const input = randomInput([5, 2, 6, 8], 1);
    const { data: dy } = randomInput([5, 4, 8, 8], 2);
    const whole = await runOp(gpu(), repeatEdges, [input], dy);
    expect(await runOp(gpu(), repeatEdges, [input], dy, { maxBindingBytes: 2 * 32 * 8 * 4 })).toEqual(whole);
  });

  it("are refused of what is no image, and the sums over them of what are not their terms", () => {
    const graph = new Graph();
    expect(() => repeatEdges(graph.input("x", [2, 3]))).toThrow("takes images [N, H, W, C]");
    for (const shape of [
      [1, 11, 12, 4],
      [1, 12, 10, 4],
      [12, 12, 4],
    ])
      // prettier-ignore
      expect(() => bilinearSums(graph.input(`terms ${shape.join()}`, shape), [3, 3])).toThrow(
        "takes the terms of 3×3 pixels",
      );
    expect(bilinearSums(graph.input("terms", [1, 12, 14, 4]), [3, 3]).shape).toEqual([1, 6, 6, 4]);
  });
});
