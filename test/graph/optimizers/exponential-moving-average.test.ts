import { describe, expect, it } from "vitest";
import { Graph, partValues } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { exponentialMovingAverage } from "../../../src/graph/optimizers/exponential-moving-average.ts";
import { sgd } from "../../../src/graph/optimizers/sgd.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import type { VariableValues } from "../../../src/graph/variables.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { LimitedGraph } from "../../helpers/limited-graph.ts";
import { paperTarget } from "../../helpers/target.ts";
import { beginning, CUT, gradientAt, RATES, SHAPES } from "./five-steps.ts";

/** How far averages go in each step; all the way, and hardly. */
const GO = [0.9, 0.5, 1, 1e-3, 0.25].map(Math.fround);

describe("exponentialMovingAverage", () => {
  const gpu = useGpu();

  /** Gradient descent on all of SHAPES, and their averages. */
  function build(graph: Graph) {
    const [stacked, alone] = [
      ["a/kernel", "b/kernel"],
      ["kernel", "bias", "scalar", "a/gamma", "b/gamma"],
    ];
    const parts = stacked.map((name) => ({
      name,
      shape: SHAPES[name],
      initializer: () => beginning(name),
    }));
    const parameters = [
      graph.stackedParameter("stack", parts),
      ...alone.map((name) => graph.parameter(name, SHAPES[name], () => beginning(name))),
    ];
    const slopes = parameters.map((w) => [w, graph.input(`d${w.name}`, w.shape)] as const);
    // Made before the optimizer: it runs after it all the same.
    const averages = exponentialMovingAverage(parameters, { rate: graph.input("go", []) });
    const steps = sgd(new Map(slopes), { learningRate: graph.input("rate", []) });
    return { slopes, updates: [...averages, ...steps] };
  }

  async function run({
    buffers,
    maxBindingBytes,
    first = 0,
    end = GO.length,
    values,
  }: {
    buffers?: number;
    maxBindingBytes?: number;
    first?: number;
    end?: number;
    values?: Map<string, VariableValues>;
  } = {}) {
    const graph = buffers ? new LimitedGraph(buffers) : new Graph();
    const { slopes, updates } = build(graph);
    const variables = new Variables(gpu(), { values });
    const program = await compile(gpu(), {
      ...{ outputs: {}, updates, variables },
      ...(maxBindingBytes && { maxBindingBytes }),
    });
    for (let step = first; step < end; step++) {
      const feeds = slopes.map(([w, { name, shape }]: readonly [Tensor, Tensor]) => {
        const gradient = new Float32Array(shape.reduce((a, b) => a * b, 1));
        for (const part of partValues(w, gradient)) part.values.set(gradientAt(part.name, step));
        return [name, gradient] as const;
      });
      const scalars = { rate: Float32Array.of(RATES[step]), go: Float32Array.of(GO[step]) };
      await program.run({ ...scalars, ...Object.fromEntries(feeds) });
    }
    const all = await variables.readAll();
    const { dispatches } = program.plan.summary;
    program.destroy();
    variables.destroy();
    return { all, dispatches };
  }

  it("follows the weights that a step leaves, from those there were, as the formula in float64", async () => {
    const { all } = await run();
    for (const name of Object.keys(SHAPES)) {
      const w = Float64Array.from(beginning(name));
      const a = w.slice();
      GO.forEach((go, step) =>
        gradientAt(name, step).forEach((g, i) => {
          w[i] -= RATES[step] * g;
          a[i] += go * (w[i] - a[i]);
        }),
      );
      expectClose(all.get(name)!.data, w, 1e-6, name);
      expectClose(all.get(`${name}/ema`)!.data, a, 1e-6, `the average of ${name}`);
    }
  });

  it("gives the same bits however many a dispatch takes, and where a variable is cut", async () => {
    const [few, most, cut] = [await run({ buffers: 4 }), await run(), await run({ maxBindingBytes: CUT })];
    expect(most.dispatches).toBeLessThan(few.dispatches);
    expect(cut.dispatches).toBeGreaterThan(most.dispatches);
    expect(few.all).toEqual(most.all);
    expect(cut.all).toEqual(most.all);
  });

  it("goes on from its saved variables bit by bit", async () => {
    const { all: values } = await run({ end: 2 });
    expect((await run({ first: 2, values })).all).toEqual((await run()).all);
  });

  it("takes few dispatches and shaders", () => {
    const graph = new Graph();
    const many = Array.from({ length: 100 }, (_, i) => graph.parameter(`w${i}`, [4 * i + 4, 3], zeros));
    const updates = exponentialMovingAverage(many, { rate: graph.input("go", []) });
    const { dispatches, pipelines } = plan(
      { outputs: {}, updates },
      { ...paperTarget, maxStorageBuffers: 16 },
    ).summary;
    expect([dispatches, pipelines]).toEqual([15, 2]);
  });

  it("takes a scalar rate and variables", () => {
    const graph = new Graph();
    const [rate, two] = [graph.input("rate", []), graph.input("two", [2])];
    const w = graph.parameter("w", [2], zeros);
    expect(exponentialMovingAverage([], { rate })).toEqual([]);
    expect(() => exponentialMovingAverage([w], { rate: two })).toThrow(
      'exponential_moving_average: the rate must be a scalar; "two" is [2].',
    );
    expect(() => exponentialMovingAverage([two], { rate })).toThrow('"two" is not a variable.');
  });
});
