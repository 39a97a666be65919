import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { ones } from "../../../src/graph/initializers.ts";
import { accumulate } from "../../../src/graph/ops/accumulate.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { argmax } from "../../../src/graph/ops/argmax.ts";
import { biasAdd } from "../../../src/graph/ops/bias.ts";
import { fill } from "../../../src/graph/ops/fill.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { stopGradient } from "../../../src/graph/ops/stop-gradient.ts";
import { rmsprop } from "../../../src/graph/optimizers/rmsprop.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";

describe("stopGradient", () => {
  const gpu = useGpu();

  it("is its input, whatever that is, and costs nothing", async () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3]);
    const w = graph.parameter("w", [2, 3], ones);
    const index = argmax(x);
    const outputs = {
      computed: stopGradient(stopGradient(scale(x, 2))),
      behind: add(stopGradient(scale(x, 2)), stopGradient(w)),
      input: stopGradient(x),
      variable: stopGradient(w),
      index: stopGradient(index),
    };
    expect(plan({ outputs }, paperTarget).dispatches.map(({ node }) => node.op.name)).toEqual([
      "argmax",
      "scale",
      "scale",
      "add",
    ]);
    const program = await compile(gpu(), { outputs });
    const values = Float32Array.of(1, -2, 3, 6, -5, 4);
    expect(await program.run({ x: values })).toEqual({
      computed: values.map((value) => 2 * value),
      behind: values.map((value) => 2 * value + 1),
      input: values,
      variable: new Float32Array(6).fill(1),
      index: Uint32Array.of(2, 0),
    });
    expect(await program.read("computed")).toEqual(values.map((value) => 2 * value));
    program.destroy();
  });

  it("keeps what it stands for from being written over", async () => {
    const graph = new Graph();
    const x = scale(graph.input("x", [2, 2]), 3);
    const stopped = stopGradient(x);
    // In place of x, if nobody else read it.
    const biased = biasAdd(x, fill(graph, [2], 1));
    const program = await compile(gpu(), { outputs: { y: add(biased, stopped) } });
    const result = await program.run({ x: Float32Array.of(1, 2, 3, 4) });
    expect(result.y).toEqual(Float32Array.of(7, 13, 19, 25));
    program.destroy();
    // Where nobody else does, what is stopped may be written over.
    const inPlace = biasAdd(stopped, fill(graph, [2], 1));
    const { lifetimes } = plan({ outputs: { y: relu(inPlace) } }, paperTarget);
    const names = lifetimes.map(({ owner }) => ("name" in owner ? owner.name : "scratch"));
    expect(names).toContain(x.name);
    expect(names).not.toContain(inPlace.name);
  });

  it("is a factor that does not learn in a loss that does", async () => {
    const graph = new Graph();
    const w = graph.parameter("w", [], ones);
    const loss = scale(w, stopGradient(scale(w, 5)));
    const program = await compile(gpu(), { outputs: { slope: gradients(loss).get(w)! } });
    expect((await program.run({})).slope).toEqual(Float32Array.of(5));
    program.destroy();
  });

  it("does not hide that a variable is read after, or while, it is updated", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [2], ones);
    const stopped = stopGradient(w);
    expect(() => rmsprop(new Map([[w, stopped]]), { learningRate: 1 })).toThrow(
      `cannot read "${stopped.name}" in the step that updates it`,
    );
    const sum = graph.state("sum", [2], ones);
    const share = fill(graph, [], 1);
    const updates = [accumulate(new Map([[w, sum]]), share), accumulate(new Map([[sum, stopped]]), share)];
    expect(() => plan({ outputs: {}, updates }, paperTarget)).toThrow("after accumulate has updated it");
  });
});
