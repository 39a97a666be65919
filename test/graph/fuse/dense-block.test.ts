import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/graph/plan.ts";
import { plan } from "../../../src/graph/plan.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { inTestAll, isQuick } from "../../helpers/quick.ts";
import { paperTarget } from "../../helpers/target.ts";
import { blockGraph, blockNumbers, runBlock } from "./block.ts";
import type { Block, BlockOptions, Results } from "./block.ts";
import { referenceBlock } from "./reference.ts";

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

/** A block fused and op by op, with the statistics of the batch. */
async function compare(block: Block, options: Options, relative = 1e-5): Promise<void> {
  const fused = await runBlock(gpu(), block, { ...options, training: true });
  const plain = await runBlock(gpu(), block, { training: true, fuse: false, family: "register" });
  expectSame(fused, plain, relative);
}

const BLOCKS: Record<string, Block> = {
  "one layer": { x: [2, 5, 4, 8], layers: 1, growth: 4, bottleneck: 8 },
  "three layers of odd extents": { x: [3, 5, 7, 12], layers: 3, growth: 8, bottleneck: 20 },
  "kernels without gaps, as one product": { x: [2, 5, 7, 16], layers: 3, growth: 8, bottleneck: 16 },
  "DenseNet121's first channels": { x: [2, 8, 8, 64], layers: 4, growth: 32, bottleneck: 128 },
};
const ODD = BLOCKS["three layers of odd extents"];
const EVEN = BLOCKS["kernels without gaps, as one product"];

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

describe.each(Object.entries(FAMILIES))("a dense block with %s", (_, options) => {
  // In workgroup memory, each block takes half a minute to compile.
  const blocks = isQuick && options.family === "workgroup" ? { "no gaps": EVEN } : BLOCKS;
  it.each(Object.entries(blocks))("is what its ops make one after the other: %s", async (_, block) => {
    await compare(block, options);
  });

  it.each([true, false])("is the definition in double precision; training: %s", async (training) => {
    const { y, moved } = referenceBlock(EVEN, blockNumbers(EVEN), training);
    const actual = await runBlock(gpu(), EVEN, { ...options, training });
    expectClose(actual.y, y);
    if (!training) return;
    for (const [name, values] of Object.entries(moved)) expectClose(actual[name], values, 1e-5, name);
  });

  it("keeps a deviation that is small against the mean", async () => {
    const numbers = blockNumbers(EVEN, { mean: 300, deviation: 0.1 });
    const { y } = await runBlock(gpu(), EVEN, { ...options, training: true, numbers });
    // A float near 300 is known to 1.5e-5, a tenth of a thousandth of the deviation.
    expectClose(y, referenceBlock(EVEN, numbers, true).y, 2e-3);
  });

  it("cuts the batch where a binding would be too large", async () => {
    const block = { x: [7, 8, 8, 8], layers: 2, growth: 4, bottleneck: 16 };
    // An image of 16 channels has 4,096 bytes.
    const cut = { ...options, maxBindingBytes: 16_000 };
    const dispatches: number[] = [];
    const inspect: Options["inspect"] = ({ summary }) => dispatches.push(summary.dispatches);
    await compare(block, { ...options, inspect });
    await compare(block, { ...cut, inspect });
    expect(dispatches[1]).toBeGreaterThan(2 * dispatches[0]);
    const [whole, parts] = await Promise.all(
      [options, cut].map((each) => runBlock(gpu(), block, { ...each, training: false })),
    );
    expectSame(parts, whole, 1e-6);
  });

  it("gives the same bits again", async () => {
    const again = { ...options, training: true };
    expect(await runBlock(gpu(), EVEN, again)).toEqual(await runBlock(gpu(), EVEN, again));
  });
});

describe("a dense block", () => {
  it.skipIf(isQuick)(inTestAll("is what its ops make one after the other (any block)"), async () => {
    await fc.assert(
      fc.asyncProperty(anyBlock, fc.boolean(), fc.boolean(), async (block, training, stacked) => {
        const fused = await runBlock(gpu(), block, { training, stacked });
        const plain = await runBlock(gpu(), block, { training, stacked, fuse: false });
        expectSame(fused, plain, 1e-4);
      }),
      { numRuns: 30, seed: 11 },
    );
  });

  it("is the same whether its parameters lie in stacks or each by itself", async () => {
    for (const training of [true, false]) {
      const stacked = await runBlock(gpu(), ODD, { training });
      expectSame(await runBlock(gpu(), ODD, { training, stacked: false }), stacked, 1e-6);
    }
  });

  const planOf = (block: Block, training: boolean, options: { fuse?: boolean; ofInput?: boolean } = {}) =>
    plan({ ...blockGraph(block, { training, ...options }).goals, ...options }, paperTarget);
  const labels = ({ dispatches }: Plan): string[] => dispatches.map(({ kernel }) => kernel.label);

  it("stores no result of a norm between two products, and joins nothing", () => {
    const { layers } = EVEN;
    const used = planOf(EVEN, false);
    // The planes of a stack in one go, twice; the input to its place; two products a layer; the last norm.
    expect(used.summary.dispatches).toBe(2 + 1 + 2 * layers + 1);
    const learned = planOf(EVEN, true);
    const products = learned.dispatches.filter(({ kernel }) => kernel.tiling);
    // Two products a layer; two back; and one for all kernels of a size.
    expect(products).toHaveLength(2 * layers + 2 * layers + 2);
    expect(labels(learned).filter((label) => /^(standardize|affine|batch_norm)/.test(label))).toEqual([]);
    expect(labels(learned).filter((label) => label === "copy_channels")).toHaveLength(1);
    expect(learned.summary.dispatches).toBeLessThan(
      planOf(EVEN, true, { fuse: false }).summary.dispatches / 2,
    );
  });

  it("finds no gradient by its input where nobody asks for it, and the same others", async () => {
    const { dx, ...parameters } = await runBlock(gpu(), ODD, { training: true });
    expect(dx).toBeDefined();
    expect(await runBlock(gpu(), ODD, { training: true, ofInput: false })).toEqual(parameters);
    const inputGradients = (ofInput: boolean): number =>
      labels(planOf(ODD, true, { ofInput })).filter((label) => label === "norm_input_gradient").length;
    expect([inputGradients(true), inputGradients(false)]).toEqual([1, 0]);
  });
});
