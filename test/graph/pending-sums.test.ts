/** @file Sums that wait for each other: which run together, and what they must come before. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { channelSum } from "../../src/graph/ops/channel-reduction.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import type { Plan } from "../../src/graph/plan.ts";
import { defineKernel } from "../../src/kernels/kernel.ts";
import type { KernelTarget } from "../../src/kernels/kernel.ts";
import { paperTarget } from "../helpers/target.ts";

const planned = (
  outputs: Record<string, Tensor>,
  { fuse = true, target = paperTarget }: { fuse?: boolean; target?: KernelTarget } = {},
): Plan => plan({ outputs, fuse }, target);
const labels = ({ dispatches }: Plan): string[] => dispatches.map(({ kernel }) => kernel.label);

/** Sums of `count` inputs of so many channels. */
function sums(count: number, channels = 8): Record<string, Tensor> {
  const graph = new Graph();
  const named = Array.from({ length: count }, (_, i) => [
    `sum${i}`,
    channelSum(graph.input(`x${i}`, [4, channels])),
  ]);
  return Object.fromEntries(named) as Record<string, Tensor>;
}

describe("Lowering.sum", () => {
  it("runs sums of several ops in one dispatch, and op by op where nothing is fused", () => {
    expect(labels(planned(sums(3)))).toEqual(["sum_over_partials_3"]);
    expect(labels(planned(sums(3), { fuse: false }))).toEqual(Array(3).fill("sum_over_partials_1"));
  });

  it("takes as many a dispatch as the adapter binds, a buffer for what is summed up and one for its result", () => {
    expect(labels(planned(sums(5)))).toEqual(["sum_over_partials_4", "sum_over_partials_1"]);
    const target = { ...paperTarget, maxStorageBuffers: 16 };
    expect(labels(planned(sums(9), { target }))).toEqual(["sum_over_partials_8", "sum_over_partials_1"]);
  });

  it("takes what comes in fours apart from what does not", () => {
    const graph = new Graph();
    const [a, b] = [8, 7].map((channels, i) => channelSum(graph.input(`x${i}`, [4, channels])));
    expect(labels(planned({ a, b }))).toEqual(["sum_over_partials_1", "sum_over_partials_1"]);
  });

  it("comes before what reads one of the results", () => {
    const graph = new Graph();
    const [a, b, c] = [0, 1, 2].map((i) => channelSum(graph.input(`x${i}`, [4, 8])));
    expect(labels(planned({ a, b, y: relu(b), c }))).toEqual(["sum_over_partials_3", "relu"]);
    const later = channelSum(graph.input("x3", [4, 8]));
    const y = relu(a);
    const z = channelSum(graph.input("x4", [4, 8]));
    expect(labels(planned({ a, later, y, z }))).toEqual([
      "sum_over_partials_2",
      "relu",
      "sum_over_partials_1",
    ]);
  });

  it("comes before what another sum reads of it", () => {
    const graph = new Graph();
    const first = channelSum(graph.input("x", [4, 8]));
    const second = graph.apply(
      {
        name: "again",
        outputs: [{ shape: [4], dtype: "f32" }],
        lower: (l, [result]) => l.sum([{ partials: first, partialCount: 2, count: 4, result }]),
      },
      [first],
    ).outputs[0];
    expect(labels(planned({ second }))).toEqual(["sum_over_partials_1", "sum_over_partials_1"]);
  });

  it("comes before what changes what is to be summed up", () => {
    const graph = new Graph();
    const x = relu(graph.input("x", [4, 8]));
    const sum = channelSum(x);
    const kernel = defineKernel({
      ...{ label: "in_place", read: {}, write: { y: "array<f32>" }, workgroups: [1, 1, 1], body: "" },
    });
    const changed = graph.apply(
      {
        name: "change",
        outputs: [x],
        lower(l, [y]) {
          expect(l.overwrites(x, y)).toBe(true);
          l.dispatch(kernel, { y });
        },
      },
      [x],
    ).outputs[0];
    const z = relu(changed);
    expect(labels(planned({ sum, z }))).toEqual(["relu", "sum_over_partials_1", "in_place", "relu"]);
  });

  it("lets nothing large wait", () => {
    // 100 rows of 16,384 numbers are 6.25 MiB, of 4,096 a quarter of that.
    const graph = new Graph();
    const large = channelSum(graph.input("large", [100, 16384]));
    const y = relu(graph.input("x", [8]));
    expect(labels(planned({ large, y }))).toEqual(["sum_over_partials_1", "relu"]);
    const small = channelSum(graph.input("small", [100, 4096]));
    const z = relu(graph.input("z", [8]));
    expect(labels(planned({ small, z }))).toEqual(["relu", "sum_over_partials_1"]);
  });

  it("writes what is its op's and nothing else", () => {
    const graph = new Graph();
    const [x, other] = [graph.input("x", [2, 4]), relu(graph.input("other", [4]))];
    const y = graph.apply(
      {
        name: "wrong",
        outputs: [{ shape: [4], dtype: "f32" }],
        lower: (l) => l.sum([{ partials: x, partialCount: 2, count: 4, result: other }]),
      },
      [x, other],
    ).outputs[0];
    expect(() => planned({ y })).toThrow(/wrong: sum_over_partials writes ".*", which is not its to write/);
  });
});
