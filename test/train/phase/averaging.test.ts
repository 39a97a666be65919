import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { ones, zeros } from "../../../src/graph/initializers.ts";
import {
  averagesAsWeights,
  averageUpdates,
  averagingRateAt,
  weightsAsTrained,
} from "../../../src/train/phase/averaging.ts";

describe("averagingRateAt", () => {
  it("is 1 less TensorFlow's min(decay, (1 + t) / (10 + t))", () => {
    expect([0, 1, 8, 90].map((step) => averagingRateAt(step, 0.999))).toEqual([
      1 - 1 / 10,
      1 - 2 / 11,
      1 - 9 / 18,
      1 - 91 / 100,
    ]);
    expect(averagingRateAt(0, 0.05)).toBe(0.95);
    expect(averagingRateAt(8990, 0.999)).toBe(1 - 8991 / 9000);
    expect(averagingRateAt(8992, 0.999)).toBe(1 - 0.999);
    expect(averagingRateAt(1e9, 0.999)).toBe(1 - 0.999);
  });
});

describe("averageUpdates", () => {
  it("are of the parameters and the statistics beside them", () => {
    const graph = new Graph();
    const head = graph.parameter("head", [3], ones, { group: "head" });
    graph.state("head/moving_mean", [3], zeros, { group: "head" });
    graph.parameter("encoder", [3], ones, { group: "encoder", trainable: false });
    graph.state("encoder/moving_mean", [3], zeros, { group: "encoder" });
    graph.state("head/rmsprop", [3], zeros, { group: "optimizer" });
    const [node] = averageUpdates([head]);
    expect(node.op.updates!.map(({ name }) => name)).toEqual(["head/ema", "head/moving_mean/ema"]);
    expect(node.inputs.map(({ name }) => name)).toContain("ema_rate");
  });
});

describe("averagesAsWeights", () => {
  const variables = new Map([
    ["w", 1],
    ["w/ema", 2],
    ["w/adam_m", 3],
    ["frozen", 4],
    ["step", 5],
  ]);

  it("gives averages the names of their weights, and these another", () => {
    const kept = averagesAsWeights(variables);
    expect(Object.fromEntries(kept)).toEqual({
      ...{ w: 2, "w/trained": 1, "w/adam_m": 3, frozen: 4, step: 5 },
    });
    expect(weightsAsTrained(kept)).toEqual(variables);
  });

  it("changes nothing where nothing is averaged", () => {
    const plain = new Map([["w", 1]]);
    expect(averagesAsWeights(plain)).toEqual(plain);
    expect(weightsAsTrained(plain)).toEqual(plain);
  });
});
