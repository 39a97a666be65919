import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../../src/graph/graph.ts";
import type { Tensor } from "../../../../src/graph/graph.ts";
import { zeros } from "../../../../src/graph/initializers.ts";
import { denseBlock } from "../../../../src/graph/ops/dense-block/dense-block.ts";
import type { DenseBlockParameters } from "../../../../src/graph/ops/dense-block/parameters.ts";
import { expectClose } from "../../../helpers/close.ts";
import { useGpu } from "../../../helpers/gpu.ts";
import { compileQuickly } from "../../../helpers/quick-compiler.ts";
import { isQuick } from "../../../helpers/quick.ts";
import { blockNumbers, runBlock } from "./block.ts";
import type { Block, BlockOptions, Results } from "./block.ts";
import { referenceBlock } from "./reference.ts";

// With barriers, lavapipe compiles each text for seconds.
compileQuickly({ narrow: isQuick });
const gpu = useGpu();

type Options = Omit<BlockOptions, "training">;

const FAMILIES: Record<string, Options> = {
  "register tiles": { family: "register" },
  "register tiles without subgroups": { family: "register", subgroupSize: 0 },
  "workgroup tiles": { family: "workgroup" },
};

function expectSame(actual: Results, expected: Results, relative: number): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    expect(values.length, name).toBeGreaterThan(0);
    expectClose(actual[name], values, relative, name);
  }
}

/** The block as one op beside the plain composition, with the statistics of the batch. */
async function compare(block: Block, options: Options, relative = 1e-5): Promise<void> {
  const fused = await runBlock(gpu(), block, "fused", { ...options, training: true });
  const plain = await runBlock(gpu(), block, "plain", { training: true });
  expectSame(fused, plain, relative);
}

const BLOCKS: Record<string, Block> = {
  "one layer": { x: [2, 5, 4, 8], layers: 1, growth: 4, bottleneck: 8 },
  "three layers of odd extents": { x: [3, 5, 7, 12], layers: 3, growth: 8, bottleneck: 20 },
  "DenseNet121's first channels": { x: [2, 8, 8, 64], layers: 4, growth: 32, bottleneck: 128 },
};
const ODD = BLOCKS["three layers of odd extents"];

/** Multiples of 4, small ones. */
const channels = (most: number): fc.Arbitrary<number> =>
  fc.integer({ min: 1, max: most / 4 }).map((n) => 4 * n);
const extent = fc.integer({ min: 1, max: 6 });
const anyBlock: fc.Arbitrary<Block> = fc.record({
  x: fc.tuple(fc.integer({ min: 2, max: 4 }), extent, extent, channels(24)),
  layers: fc.integer({ min: 1, max: 4 }),
  growth: channels(16),
  bottleneck: channels(32),
});

describe.each(Object.entries(FAMILIES))("denseBlock with %s", (_, options) => {
  // In workgroup memory, each block takes half a minute to compile.
  const blocks = isQuick && options.family === "workgroup" ? { "odd extents": ODD } : BLOCKS;
  it.each(Object.entries(blocks))("is what its layers make one after the other: %s", async (_, block) => {
    await compare(block, options);
  });

  it.each([true, false])("is the definition in double precision; training: %s", async (training) => {
    const { y, moved } = referenceBlock(ODD, blockNumbers(ODD), training);
    const actual = await runBlock(gpu(), ODD, "fused", { ...options, training });
    expectClose(actual.y, y);
    if (!training) return;
    for (const [name, values] of Object.entries(moved)) expectClose(actual[name], values, 1e-5, name);
  });

  it("keeps a deviation that is small against the mean", async () => {
    const numbers = blockNumbers(ODD, { mean: 300, deviation: 0.1 });
    const { y } = await runBlock(gpu(), ODD, "fused", { ...options, training: true, numbers });
    const added = (values: ArrayLike<number>): Float64Array =>
      Float64Array.from(values).filter((_, i) => i % 36 >= 12);
    // A float near 300 is known to 1.5e-5, a tenth of a thousandth of the deviation.
    expectClose(added(y), added(referenceBlock(ODD, numbers, true).y), 2e-3);
  });

  it("cuts the batch where a binding would be too large", async () => {
    const block = { x: [7, 4, 4, 8], layers: 2, growth: 4, bottleneck: 8 };
    // An image of 16 channels has 1,024 bytes.
    const cut = { ...options, maxBindingBytes: 3000 };
    const dispatches: number[] = [];
    const inspect: Options["inspect"] = ({ summary }) => dispatches.push(summary.dispatches);
    await compare(block, { ...options, inspect });
    await compare(block, { ...cut, inspect });
    expect(dispatches[1]).toBeGreaterThan(2 * dispatches[0]);
    const [whole, parts] = await Promise.all(
      [options, cut].map((each) => runBlock(gpu(), block, "fused", { ...each, training: false })),
    );
    expectSame(parts, whole, 1e-6);
  });

  it("cuts it by what lies between the convolutions too, where that is wider", async () => {
    const block = { x: [5, 4, 4, 8], layers: 1, growth: 4, bottleneck: 32 };
    for (const training of [true, false]) {
      const whole = await runBlock(gpu(), block, "fused", { ...options, training });
      const parts = await runBlock(gpu(), block, "fused", { ...options, training, maxBindingBytes: 6000 });
      expectSame(parts, whole, 1e-5);
    }
  });

  it("gives the same bits again", async () => {
    const again = { ...options, training: true };
    expect(await runBlock(gpu(), ODD, "fused", again)).toEqual(await runBlock(gpu(), ODD, "fused", again));
  });
});

describe("denseBlock", () => {
  it("is what its layers make one after the other (any block)", async () => {
    await fc.assert(
      fc.asyncProperty(anyBlock, fc.boolean(), async (block, training) => {
        const fused = await runBlock(gpu(), block, "fused", { training });
        const plain = await runBlock(gpu(), block, "plain", { training });
        expectSame(fused, plain, 1e-4);
      }),
      { numRuns: 30, seed: 11 },
    );
  });

  const stacks = (graph: Graph, { x, layers, growth, bottleneck }: Block): DenseBlockParameters => {
    const normed = layers * x[3] + (growth * layers * (layers - 1)) / 2;
    const norm = (n: number, size: number) => ({
      gamma: graph.parameter(`gamma${n}`, [size], zeros),
      beta: graph.parameter(`beta${n}`, [size], zeros),
      movingMean: graph.state(`mean${n}`, [size], zeros),
      movingVariance: graph.state(`variance${n}`, [size], zeros),
    });
    return {
      norm1: norm(1, normed),
      kernel1: graph.parameter("kernel1", [normed * bottleneck], zeros),
      norm2: norm(2, layers * bottleneck),
      kernel2: graph.parameter("kernel2", [9 * layers * bottleneck * growth], zeros),
    };
  };
  const build = (
    block: Block,
    change: (parameters: DenseBlockParameters, graph: Graph) => DenseBlockParameters = (same) => same,
    shape = block.x,
  ): Tensor => {
    const graph = new Graph();
    const parameters = change(stacks(graph, block), graph);
    return denseBlock(graph.input("x", shape), parameters, { ...block, epsilon: 1e-3, momentum: 0.9 });
  };
  const small: Block = { x: [2, 3, 3, 8], layers: 3, growth: 4, bottleneck: 12 };

  it("adds growth channels a layer, and its result's moments are known", () => {
    const y = build(small);
    expect(y.shape).toEqual([2, 3, 3, 20]);
    expect(y.node?.op.moments).toBeDefined();
  });

  it.each([
    ["channels", { ...small, x: [2, 3, 3, 6] }, 6],
    ["growth", { ...small, growth: 3 }, 3],
    ["bottleneck", { ...small, bottleneck: 10 }, 10],
  ] as [string, Block, number][])("refuses %s that do not come in fours", (what, block, count) => {
    expect(() => build(block)).toThrow(
      `denseBlock: ${what} must be a multiple of 4, not ${count}: use a plain block instead.`,
    );
  });

  it("refuses what are not images, and stacks of another size", () => {
    expect(() => build(small, undefined, [2, 9, 8])).toThrow(
      'denseBlock: "x" [2, 9, 8] must be [N, H, W, C].',
    );
    const other = (graph: Graph): Tensor => graph.parameter("other", [7], zeros);
    expect(() => build(small, (same, graph) => ({ ...same, kernel1: other(graph) }))).toThrow(
      'denseBlock: "other" [7] must have 432 numbers.',
    );
    expect(() => build(small, (same, graph) => ({ ...same, kernel2: other(graph) }))).toThrow(
      'denseBlock: "other" [7] must have 1296 numbers.',
    );
    expect(() =>
      build(small, (same, graph) => ({ ...same, norm1: { ...same.norm1, beta: other(graph) } })),
    ).toThrow('denseBlock: "other" [7] must have 36 numbers.');
    expect(() =>
      build(small, (same, graph) => ({ ...same, norm2: { ...same.norm2, movingMean: other(graph) } })),
    ).toThrow('denseBlock: "other" [7] must have 36 numbers.');
  });

  it("refuses moving statistics that are no variables", () => {
    const computed = (graph: Graph): Tensor => graph.input("computed", [36]);
    expect(() =>
      build(small, (same, graph) => ({ ...same, norm1: { ...same.norm1, movingMean: computed(graph) } })),
    ).toThrow('"computed" must be a variable to hold moving statistics.');
  });
});
