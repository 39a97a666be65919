import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { upsampleBilinear2x } from "../../../src/graph/ops/upsample-bilinear2x.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { bilinearTwice } from "../../parity/bilinear-twice.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("bilinear upsampling", () => {
  const gpu = useGpu();
  const resized = (x: tf.Tensor): tf.Tensor =>
    tf.image.resizeBilinear(x as tf.Tensor4D, [2 * x.shape[1]!, 2 * x.shape[2]!], false, true);

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
        const reference = tfjsReference(bilinearTwice, [input], dy);
        const result = await runOp(gpu(), upsampleBilinear2x, [input], dy);
        expectClose(
          result.y,
          tf.tidy(() => resized(tf.tensor(input.data, shape)).dataSync()),
          1e-6,
        );
        expectClose(result.y, reference.y, 1e-6);
        expectClose(result.gradients[0], reference.gradients[0], 1e-6);
      }),
      compiledCases(15),
    );
  });

  it("has the gradients that finite differences have", async () => {
    const shape = [2, 3, 2, 3];
    const input = randomInput(shape, 1);
    const { data: dy } = randomInput([2, 6, 4, 3], 2);
    const { y, gradients } = await runOp(gpu(), upsampleBilinear2x, [input], dy);
    expectClose(y, byDefinition(shape, input.data), 1e-6);
    const [expected] = finiteDifferences(([x]) => dotProduct(byDefinition(shape, x), dy), [input.data]);
    expectClose(gradients[0], expected, 1e-6);
  });

  it("gives the same in pieces along the batch", async () => {
    const input = randomInput([5, 4, 4, 8], 1);
    const dy = randomInput([5 * 64 * 8], 2).data;
    const whole = await runOp(gpu(), upsampleBilinear2x, [input], dy);
    expect(await runOp(gpu(), upsampleBilinear2x, [input], dy, { maxBindingBytes: 2 * 64 * 8 * 4 })).toEqual(
      whole,
    );
  });

  it("refuses what is no image", () => {
    expect(() => upsampleBilinear2x(new Graph().input("x", [2, 3]))).toThrow("takes images [N, H, W, C]");
  });
});

/** In float64: what lies at the centre of each pixel of the large image, in pixels of the small one. */
function byDefinition([batch, height, width, channels]: readonly number[], x: ArrayLike<number>) {
  const y = new Float64Array(4 * batch * height * width * channels);
  const between = (large: number, extent: number): [index: number, weight: number][] => {
    const place = Math.min(Math.max((large + 0.5) / 2 - 0.5, 0), extent - 1);
    const before = Math.floor(place);
    return [
      [before, 1 - (place - before)],
      [Math.min(before + 1, extent - 1), place - before],
    ];
  };
  for (let n = 0, at = 0; n < batch; n++)
    for (let oy = 0; oy < 2 * height; oy++)
      for (let ox = 0; ox < 2 * width; ox++)
        for (let c = 0; c < channels; c++, at++)
          for (const [iy, rowWeight] of between(oy, height))
            for (const [ix, columnWeight] of between(ox, width))
              y[at] += rowWeight * columnWeight * x[((n * height + iy) * width + ix) * channels + c];
  return y;
}
