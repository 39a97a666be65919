import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { upsampleNearest2x } from "../../../src/graph/ops/upsample-nearest2x.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("nearest upsampling", () => {
  const gpu = useGpu();
  /** A product with ones, because the gradient of tfjs's `resizeNearestNeighbor` reads image 0 for every image. */
  const theirs = (x: tf.Tensor): tf.Tensor => {
    const [n, h, w, c] = x.shape;
    const repeated = tf.mul(tf.reshape(x, [n, h, 1, w, 1, c]), tf.ones([1, 1, 2, 1, 2, 1]));
    return tf.reshape(repeated, [n, 2 * h, 2 * w, c]);
  };
  const resized = (x: tf.Tensor): tf.Tensor =>
    tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * x.shape[1]!, 2 * x.shape[2]!]);

  it("equals tfjs, forward and gradient", async () => {
    const extent = fc.integer({ min: 1, max: 7 });
    const shapes = fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      extent,
      extent,
      fc.constantFrom(1, 3, 4, 5, 59, 64),
    );
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(1000), async (shape, seed) => {
        const input = randomInput(shape, seed);
        const dy = randomInput([4 * sizeOf(shape)], seed + 1).data;
        const reference = tfjsReference(theirs, [input], dy);
        const result = await runOp(gpu(), upsampleNearest2x, [input], dy);
        expect(result.y).toEqual(reference.y);
        expect(result.y).toEqual(tf.tidy(() => resized(tf.tensor(input.data, shape)).dataSync()));
        expectClose(result.gradients[0], reference.gradients[0]);
      }),
      compiledCases(15),
    );
  });

  it("gives the same in pieces along the batch", async () => {
    const input = randomInput([5, 4, 4, 8], 1);
    const dy = randomInput([5 * 64 * 8], 2).data;
    const whole = await runOp(gpu(), upsampleNearest2x, [input], dy);
    expect(await runOp(gpu(), upsampleNearest2x, [input], dy, { maxBindingBytes: 2 * 64 * 8 * 4 })).toEqual(
      whole,
    );
  });

  it("refuses what is no image", () => {
    expect(() => upsampleNearest2x(new Graph().input("x", [2, 3]))).toThrow("takes images [N, H, W, C]");
  });
});
