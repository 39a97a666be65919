import { describe, expect, it, vi } from "vitest";
import { compile } from "../../src/graph/compile.ts";
import type { CompileOptions } from "../../src/graph/compile.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Node, Tensor } from "../../src/graph/graph.ts";
import { constant, zeros } from "../../src/graph/initializers.ts";
import { accumulate } from "../../src/graph/ops/accumulate.ts";
import { partAt } from "../../src/graph/ops/part.ts";
import { scale } from "../../src/graph/ops/scale.ts";
import { TAPS_AHEAD } from "../../src/graph/tap-reader.ts";
import { Variables } from "../../src/graph/variables.ts";
import type { VariableValues } from "../../src/graph/variables.ts";
import { useGpu } from "../helpers/gpu.ts";

/** Doubles `x` again and again; tap `i` adds `x · 2^(i+1)` to `sum i`. */
function doubled(taps: number): { outputs: { last: Tensor }; taps: Record<string, Node> } {
  const graph = new Graph();
  const share = graph.input("share", []);
  const two = graph.state("two", [], constant(2));
  let x = graph.input("x", [3]);
  const nodes: [string, Node][] = [];
  for (let i = 0; i < taps; i++) {
    x = scale(x, two);
    nodes.push([`tap ${i}`, accumulate(new Map([[graph.state(`sum ${i}`, [3], zeros), x]]), share)]);
  }
  return { outputs: { last: scale(x, two) }, taps: Object.fromEntries(nodes) };
}

const feeds = { x: Float32Array.of(1, -3, 0.5), share: Float32Array.of(0.25) };
const timesPower = (power: number): Float32Array => feeds.x.map((x) => x * 2 ** power);
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("the taps of a program", () => {
  const gpu = useGpu();

  const compiled = (options: CompileOptions) => compile(gpu(), { fuse: false, ...options });

  it("hand over what they have updated, in their order, before the run is over", async () => {
    using variables = new Variables(gpu());
    using program = await compiled({ ...doubled(3), variables });
    const told: [string, ReadonlyMap<string, VariableValues>][] = [];
    const { last } = await program.run(feeds, ["last"], {
      tapped: async (name, values) => {
        await turn();
        told.push([name, values]);
      },
    });
    expect(last).toEqual(timesPower(4));
    expect(told).toEqual(
      [0, 1, 2].map((i) => [`tap ${i}`, new Map([[`sum ${i}`, { shape: [3], data: timesPower(i - 1) }]])]),
    );
    // Without anybody who takes them it is a run like any other.
    await program.run(feeds);
    expect(await variables.read("sum 2")).toEqual(timesPower(2));
  });

  it("let numbers be put back while the rest runs", async () => {
    using variables = new Variables(gpu());
    using program = await compiled({ ...doubled(TAPS_AHEAD + 3), variables });
    const run = (): Promise<unknown> =>
      program.run(feeds, [], {
        tapped(_, values) {
          for (const [name, { data }] of values)
            variables.write(
              name,
              data.map((value) => value + 10),
            );
        },
      });
    await run();
    await run();
    for (let i = 0; i < TAPS_AHEAD + 3; i++)
      expect(await variables.read(`sum ${i}`)).toEqual(timesPower(i).map((value) => value + 20));
  });

  it("end a submission each, and hold back no more than a ring of them", async () => {
    using program = await compiled(doubled(TAPS_AHEAD + 2));
    const submit = vi.spyOn(gpu().device.queue, "submit");
    try {
      const open: (() => void)[] = [];
      const running = program.run(feeds, ["last"], {
        tapped: () => new Promise<void>((resolve) => open.push(resolve)),
      });
      // All of the ring is submitted at once; one more when somebody has done with one.
      expect(submit).toHaveBeenCalledTimes(TAPS_AHEAD);
      while (open.length < TAPS_AHEAD) await turn();
      await turn();
      expect(submit).toHaveBeenCalledTimes(TAPS_AHEAD);
      open[0]();
      while (open.length < TAPS_AHEAD + 1) await turn();
      expect(submit).toHaveBeenCalledTimes(TAPS_AHEAD + 1);
      open[1]();
      while (open.length < TAPS_AHEAD + 2) await turn();
      expect(submit).toHaveBeenCalledTimes(TAPS_AHEAD + 3);
      let over = false;
      void running.then(() => (over = true));
      await turn();
      expect(over).toBe(false);
      for (const resolve of open) resolve();
      expect((await running).last).toEqual(timesPower(TAPS_AHEAD + 3));
    } finally {
      submit.mockRestore();
    }
  });

  it("give parts of stacked variables by their names", async () => {
    const graph = new Graph();
    const parts = ["a", "b", "c"].map((name, i) => ({ name, shape: [40 + i], initializer: constant(i) }));
    const stack = graph.stackedState("stack", parts);
    const x = graph.input("x", [106]);
    const share = graph.input("share", []);
    const taps = {
      last: accumulate(new Map([[partAt(stack, 64, [106]), x]]), share),
    };
    using program = await compiled({ outputs: {}, taps });
    const told = new Map<string, VariableValues>();
    const numbers = Float32Array.from({ length: 106 }, (_, i) => i);
    await program.run({ x: numbers, share: Float32Array.of(1) }, [], {
      tapped(_, values) {
        for (const [name, value] of values) told.set(name, value);
      },
    });
    expect([...told.keys()]).toEqual(["b", "c"]);
    expect(told.get("b")!.data).toEqual(Float32Array.from({ length: 41 }, (_, i) => 1 + i));
    expect(told.get("c")!.data).toEqual(Float32Array.from({ length: 42 }, (_, i) => 2 + 64 + i));
  });

  it("fail the run with what a call throws", async () => {
    using program = await compiled(doubled(TAPS_AHEAD + 2));
    let calls = 0;
    const running = program.run(feeds, ["last"], {
      tapped() {
        if (++calls === 2) throw new Error("no more");
      },
    });
    await expect(running).rejects.toThrow("no more");
    // And the next run is a run again.
    expect((await program.run(feeds)).last).toEqual(timesPower(TAPS_AHEAD + 3));
  });
});
