import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { Goals, PlanSummary } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import { GpuTimer } from "../../../src/graph/autotune/gpu-timer.ts";
import { productGroups } from "../../../src/graph/autotune/products.ts";
import type { Work } from "../../../src/graph/autotune/products.ts";
import { autotune, tilesFrom } from "../../../src/graph/autotune/autotune.ts";
import type { AutotuneCache, TileChoices } from "../../../src/graph/autotune/autotune.ts";
import { tileCandidates, tileGroup } from "../../../src/kernels/conv2d/tiles.ts";
import type { Tile, Tiling } from "../../../src/kernels/tiling.ts";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

const X = [2, 12, 12, 8];
const KERNEL = [1, 1, 8, 16];

function goals(): Goals {
  const graph = new Graph();
  const y = conv2d(graph.input("x", X), graph.input("kernel", KERNEL), { strides: 1, padding: "same" });
  return { outputs: { y } };
}

function memoryCache(text: string | null = null): AutotuneCache & { text: string | null; writes: number } {
  return {
    text,
    writes: 0,
    read() {
      return Promise.resolve(this.text);
    },
    write(written) {
      this.text = written;
      this.writes++;
      return Promise.resolve();
    },
  };
}

describe("autotune", () => {
  it("measures every tile once, and takes the rest from the cache", async () => {
    const cache = memoryCache();
    const first = await autotune(gpu(), { goals: [goals()], cache });
    expect(first.measured).toBe(1);
    const [[name, winner]] = Object.entries(first.choices);
    const kept = JSON.parse(cache.text!) as {
      products: Record<string, { winner: Tile; measurements: { tile: Tile; milliseconds: number[] }[] }>;
    };
    const { measurements } = kept.products[name];
    expect(kept.products[name].winner).toEqual(winner);
    const [{ candidates }] = productGroups([goals()], kernelTarget(gpu()));
    expect(measurements.map(({ tile }) => tile)).toEqual(candidates.map(({ tile }) => tile));
    for (const { milliseconds } of measurements) {
      expect(milliseconds.length).toBeGreaterThan(1);
      for (const time of milliseconds) expect(time).toBeGreaterThan(0);
    }

    const again = await autotune(gpu(), { goals: [goals()], cache });
    expect(again).toEqual({ ...first, measured: 0 });
    expect(cache.writes).toBe(1);
    expect(gpu().bytes).toBe(0);
  });

  it("measures anew, with a sentence, what a damaged cache does not tell", async () => {
    const cache = memoryCache("{}");
    const said: string[] = [];
    const onWarning = (sentence: string): void => void said.push(sentence);
    const found = await autotune(gpu(), { goals: [goals()], cache, onWarning });
    expect(found.measured).toBe(1);
    expect(said).toEqual(["The file of measured tiles holds no measurements: measuring anew."]);
    expect((await autotune(gpu(), { goals: [goals()], cache, onWarning })).measured).toBe(0);
    expect(said).toHaveLength(1);
  });

  it("leaves what it has no time for as it is", async () => {
    const cache = memoryCache();
    const found = await autotune(gpu(), { goals: [goals()], cache, seconds: 0 });
    expect(found).toEqual({ choices: {}, findings: new Map(), measured: 0, improved: 0 });
    expect(cache.writes).toBe(0);
  });
});

describe("tilesFrom", () => {
  it("has a program compiled with the choices, beside others on the same GPU in tiles of their own", async () => {
    const data = { x: randomInput(X, 1).data, kernel: randomInput(KERNEL, 2).data };
    const [usual] = planned({});
    const [first, last] = [1, -1].map((i) => tileCandidates(kernelTarget(gpu()), usual.request).at(i)!);
    expect(new Set([usual.tile, first, last]).size).toBe(3);
    const choices = [first, undefined, last].map((tile) =>
      tile ? { [tileGroup(usual.request)]: tile } : {},
    );
    const programs = await Promise.all(
      choices.map((each) => compile(gpu(), { ...goals(), tileFor: tilesFrom(each) })),
    );
    const results = [];
    for (const program of [...programs].reverse()) results.unshift((await program.run(data)).y);
    expect(programs.map(({ plan }) => plan.dispatches[0].kernel.tiling!.tile)).toEqual([
      first,
      usual.tile,
      last,
    ]);
    expect(programs.map(({ plan }) => plan.summary)).toEqual(choices.map((each) => planned(each)[1]));
    expectClose(results[0], results[1]);
    expectClose(results[2], results[1]);
    for (const program of programs) program.destroy();
  });

  /** The product of a plan for the choices, and the plan's summary. */
  function planned(choices: TileChoices): [Tiling, PlanSummary] {
    const { dispatches, summary } = plan(goals(), kernelTarget(gpu(), tilesFrom(choices)));
    return [dispatches[0].kernel.tiling!, summary];
  }
});

describe("GpuTimer", () => {
  it("says why a kernel does not compile", async () => {
    const [{ candidates }] = productGroups([goals()], kernelTarget(gpu()));
    const { work } = candidates[0];
    const broken: Work = [{ ...work[0], kernel: { ...work[0].kernel, wgsl: "fn main() {" } }];
    const timer = await GpuTimer.create(gpu(), [work, broken]);
    try {
      expect(await timer.compile(broken)).toMatch(/"conv2d_forward" did not compile/);
      expect(await timer.compile(work)).toBeNull();
      expect(await timer.time(work)).toBeGreaterThan(0);
    } finally {
      timer.destroy();
    }
    expect(gpu().bytes).toBe(0);
  });
});
