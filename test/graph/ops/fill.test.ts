import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { constant, zeros } from "../../../src/graph/initializers.ts";
import { batchNormTraining } from "../../../src/graph/ops/batch-norm.ts";
import { fill } from "../../../src/graph/ops/fill.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { dot } from "../../helpers/op.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

describe("fill", () => {
  const gpu = useGpu();

  it("makes a vector of one length and value once", () => {
    const [graph, other] = [new Graph(), new Graph()];
    const ones = fill(graph, [4], 1);
    expect(fill(graph, [4], 1)).toBe(ones);
    expect(fill(graph, [5], 1)).not.toBe(ones);
    expect(fill(graph, [4], 2)).not.toBe(ones);
    expect(fill(other, [4], 1)).not.toBe(ones);
    expect(graph.variables.size).toBe(0);
  });

  it("is the γ of a batch norm that has none: the same bits as of a variable of ones, and no gradient of its own", async () => {
    const shape = [3, 5, 7, 8];
    const feeds = { x: randomInput(shape, 1).data, dy: randomInput(shape, 2).data };
    const results = [];
    for (const scale of [true, false]) {
      const graph = new Graph();
      const x = graph.input("x", shape);
      const gamma = scale ? graph.parameter("gamma", [8], constant(1)) : fill(graph, [8], 1);
      const beta = graph.parameter("beta", [8], zeros);
      const [mean, variance] = ["mean", "variance"].map((name) => graph.state(name, [8], constant(1)));
      const options = { epsilon: 1e-3, momentum: 0.9, activation: "relu" } as const;
      const y = batchNormTraining(x, gamma, beta, mean, variance, options);
      const found = gradients(
        dot(y, graph.input("dy", shape)),
        [x, ...graph.variables.values()].slice(0, scale ? 3 : 2),
      );
      expect(found.has(gamma)).toBe(scale);
      const variables = new Variables(gpu());
      const outputs = { y, dx: found.get(x)!, dbeta: found.get(beta)! };
      const program = await compile(gpu(), { outputs, variables });
      results.push(await program.run(feeds));
      program.destroy();
      variables.destroy();
    }
    expect(results[1]).toEqual(results[0]);
  });
});
