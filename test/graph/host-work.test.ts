import { describe, expect, it } from "vitest";
import { compile } from "../../src/graph/compile.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import { accumulate } from "../../src/graph/ops/accumulate.ts";
import { add } from "../../src/graph/ops/add.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { copyNumbers } from "../../src/kernels/copy.ts";
import { useGpu } from "../helpers/gpu.ts";

/** `x`, to be changed by the host. */
const changed = (x: Tensor, what: string): Tensor =>
  x.graph.apply(
    {
      name: "changed",
      outputs: [{ shape: x.shape, dtype: "f32" }],
      onHost: what,
      lower: (l, [y]) => l.dispatch(copyNumbers(l.target, x.shape[0]), { x, y }),
    },
    [x],
  ).outputs[0];

describe("the host's work in a run", () => {
  const gpu = useGpu();

  function build() {
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const first = changed(relu(x), "first");
    const second = changed(add(first, first), "second");
    const share = graph.input("share", []);
    const tap = accumulate(new Map([[graph.state("sum", [4], zeros), second]]), share);
    return { outputs: { first, y: add(second, x) }, taps: { tap } };
  }

  const feeds = { x: Float32Array.of(1, -2, 3, 4), share: Float32Array.of(1) };

  it("is done in between, on what was computed, and what is behind it reads what came of it", async () => {
    using program = await compile(gpu(), build());
    expect(program.plan.hostWork.map(({ what }) => what)).toEqual(["first", "second"]);
    const seen: [string, Float32Array][] = [];
    const tapped: Float32Array[] = [];
    for (let runs = 0; runs < 2; runs++) {
      const { first, y } = await program.run(feeds, undefined, {
        async onHost(what, [numbers]) {
          seen.push([what, numbers]);
          await Promise.resolve();
          return [numbers.map((value) => value + (what === "first" ? 10 : 100))];
        },
        tapped: (_, values) => void tapped.push(values.get("sum")!.data),
      });
      expect(first).toEqual(Float32Array.of(11, 10, 13, 14));
      expect(y).toEqual(Float32Array.of(123, 118, 129, 132));
    }
    expect(seen.slice(0, 2)).toEqual([
      ["first", Float32Array.of(1, 0, 3, 4)],
      ["second", Float32Array.of(22, 20, 26, 28)],
    ]);
    expect(tapped.map(([value]) => value)).toEqual([122, 244]);
  });

  it("may be left alone", async () => {
    using program = await compile(gpu(), build());
    expect((await program.run(feeds)).y).toEqual(Float32Array.of(3, -2, 9, 12));
  });

  it("fails the run when it fails", async () => {
    using program = await compile(gpu(), build());
    const failing = program.run(feeds, undefined, {
      onHost: (what) => Promise.reject(new Error(`no ${what}`)),
    });
    await expect(failing).rejects.toThrow("no first");
    for (const made of [[], [new Float32Array(3)]])
      await expect(program.run(feeds, undefined, { onHost: () => Promise.resolve(made) })).rejects.toThrow(
        "onHost gives other than 4 numbers for first.",
      );
    expect((await program.run(feeds)).y).toEqual(Float32Array.of(3, -2, 9, 12));
  });
});
