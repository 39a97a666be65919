import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { matmul } from "../../src/graph/ops/matmul.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import { kernelTimes, printKernelTimes } from "../../src/graph/profile.ts";
import { paperTarget } from "../helpers/target.ts";

describe("the times of kernels", () => {
  const graph = new Graph();
  const [a, b] = [graph.input("a", [10, 20]), graph.input("b", [20, 20])];
  const { dispatches } = plan({ outputs: { y: matmul(relu(matmul(a, b)), b) } }, paperTarget);
  const run = (...nanoseconds: number[]) =>
    nanoseconds.map((each, i) => ({ label: dispatches[i].kernel.label, nanoseconds: each }));
  const times = kernelTimes(dispatches, [run(1000, 3000, 500), run(2000, 5000, 500)]);

  it("are summed by op and kernel, the mean of the runs, slowest first", () => {
    const matmulBytes = 4 * (200 + 400 + 200);
    expect(times).toEqual([
      { op: "relu", kernel: "relu", dispatches: 1, milliseconds: 0.004, flops: 0, bytes: 1600 },
      {
        ...{ op: "matmul", kernel: "conv2d_forward", dispatches: 2, milliseconds: 0.002 },
        ...{ flops: 2 * 2 * 10 * 20 * 20, bytes: 2 * matmulBytes },
      },
    ]);
  });

  it("are printed with what they come to a second", () => {
    const rows = printKernelTimes(times)
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ["op", "kernel", "dispatches", "ms", "share", "GFLOP/s", "GB/s"],
      ["relu", "relu", "1", "0.004", "66.7 %", "0.4"],
      ["matmul", "conv2d_forward", "2", "0.002", "33.3 %", "8.0", "3.2"],
      ["all", "3", "0.006"],
    ]);
  });

  it("say nothing of a rate where the clock stood still", () => {
    const still = kernelTimes(dispatches, [run(0, 0, 0)]);
    expect(printKernelTimes(still)).not.toMatch(/Infinity|NaN/);
  });
});
