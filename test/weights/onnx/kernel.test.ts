import { describe, expect, test } from "vitest";
import { batchNormAffine, onnxKernel } from "../../../src/weights/onnx/kernel.ts";

const shape = [2, 1, 3, 2];
const data = Float32Array.from({ length: 12 }, (_, i) => i);
/** The weight at `[h, 0, i, j]`. */
const at = (h: number, i: number, j: number): number => (h * 3 + i) * 2 + j;

describe("onnxKernel", () => {
  test("puts channels first, the last before the one before it", () => {
    const kernel = onnxKernel({ shape, data }, "Conv2D");
    expect(kernel.shape).toEqual([2, 3, 2, 1]);
    const expected = [0, 1].flatMap((j) => [0, 1, 2].flatMap((i) => [0, 1].map((h) => at(h, i, j))));
    expect([...kernel.data]).toEqual(expected);
  });

  test("scales by the result's channel: HWIO's last axis, HWOI's third", () => {
    const conv = onnxKernel({ shape, data }, "Conv2D", Float64Array.of(1, 10)).data;
    expect([...conv]).toEqual(
      [...onnxKernel({ shape, data }, "Conv2D").data].map((w, k) => (k < 6 ? w : 10 * w)),
    );
    const transposed = onnxKernel({ shape, data }, "Conv2DTranspose", Float64Array.of(1, 10, 100)).data;
    const scales = [1, 1, 10, 10, 100, 100];
    expect([...transposed]).toEqual(
      [...onnxKernel({ shape, data }, "Conv2D").data].map((w, k) => w * scales[k % 6]),
    );
  });
});

test("batchNormAffine is what a batch norm does in inference", () => {
  const values = { gamma: [2], beta: [5], moving_mean: [3], moving_variance: [15] };
  const { scale, shift } = batchNormAffine(values, 1);
  expect(7 * scale[0] + shift[0]).toBeCloseTo((2 * (7 - 3)) / 4 + 5, 12);
});
