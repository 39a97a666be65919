import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/graph/initializers.ts";
import { partialSums, sumRows } from "../../src/kernels/sum-rows.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { paperTarget } from "../helpers/target.ts";

describe("sumRows", () => {
  const gpu = useGpu();

  it.each([
    [1, 1],
    [3, 64],
    [2, 65],
    [5, 200],
    [1, 4096],
    [2, 4097],
  ])("sums %i rows of %i values to 1e-6", async (rows, length) => {
    const random = seededRandom(1, "x");
    const x = Float32Array.from({ length: rows * length }, () => random() + 0.5);
    const partials = partialSums(length);
    const kernels = [sumRows(paperTarget, rows, length)];
    const y = (await runKernels(gpu(), kernels, { x, y: rows * partials }, ["y"])).y;
    const last = [sumRows(paperTarget, rows, partials, { scale: 0.5, begin: 2 })];
    const left = partialSums(partials);
    const sums = (await runKernels(gpu(), last, { x: y, y: 2 + rows * left }, ["y"])).y;
    expect([...sums.subarray(0, 2)]).toEqual([0, 0]);
    for (let row = 0; row < rows; row++) {
      const exact = x.subarray(row * length, (row + 1) * length).reduce((a, b) => a + b, 0);
      const sum = sums.subarray(2 + row * left, 2 + (row + 1) * left).reduce((a, b) => a + b, 0);
      expect(Math.abs(2 * sum - exact) / exact).toBeLessThan(1e-6);
    }
  });

  it("folds its grid where one dimension is too short", () => {
    expect(sumRows({ ...paperTarget, maxWorkgroupsPerDimension: 4 }, 1, 64 * 640).workgroups).toEqual([
      4, 3, 1,
    ]);
  });
});
