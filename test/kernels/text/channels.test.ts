import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sumChannels } from "../../../src/kernels/channel-sum.ts";
import { channelWalk, mergeWalks } from "../../../src/kernels/text/channels.ts";
import type { ChannelWalk } from "../../../src/kernels/text/channels.ts";
import type { Kernel, KernelTarget } from "../../../src/kernels/kernel.ts";
import { mergeMoments, moments } from "../../../src/kernels/moments.ts";
import { expectClose } from "../../helpers/close.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const families = ["register", "workgroup"] as const;
const target = (family: KernelTarget["family"]): KernelTarget => ({ ...paperTarget, family });

describe("a walk over channels", () => {
  it("visits every row of every column once, leaves no partialIndex empty and keeps to the grid's limits", () => {
    const narrow = { maxWorkgroupsPerDimension: 7 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 40 }),
        fc.oneof(fc.constantFrom("map" as const, "reduce" as const), fc.integer({ min: 1, max: 200 })),
        fc.constantFrom(...families),
        (rows, channels, partialCount, family) => {
          const walk = channelWalk({ ...target(family), ...narrow }, rows, channels, partialCount);
          if (typeof partialCount === "number") expect(walk.partialCount).toBeLessThanOrEqual(partialCount);
          const { columns, partialStride, rowStride, span } = values(walk);
          expect(columns * (walk.type === "vec4f" ? 4 : 1)).toBe(channels);
          const visits = new Uint8Array(rows);
          for (let partialIndex = 0; partialIndex < walk.partialCount; partialIndex++) {
            const first = partialIndex * partialStride;
            expect(first).toBeLessThan(rows);
            for (let row = first; row < Math.min(rows, first + span); row += rowStride) visits[row]++;
          }
          expect(visits.every((count) => count === 1)).toBe(true);
          const [x, y] = walk.workgroups;
          expect(64 * x * y).toBeGreaterThanOrEqual(walk.partialCount * columns);
          expect(x).toBeLessThanOrEqual(7);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("fills a GPU for few pixels of many channels and for many pixels of few channels", () => {
    for (const [rows, channels] of [
      [1024, 1024],
      [2 ** 18, 64],
      [2 ** 20, 4],
    ]) {
      const walk = channelWalk(target("workgroup"), rows, channels, "reduce");
      expect(walk.partialCount * values(walk).columns).toBeGreaterThanOrEqual(2 ** 15);
      // No invocation of the merges has a long way to go either.
      for (const merge of mergeWalks(target("workgroup"), walk.partialCount, channels)) {
        expect(values(merge).span / values(merge).rowStride).toBeLessThanOrEqual(256);
      }
    }
  });
});

describe.each(families)("reductions of channels, family %s", (family) => {
  const gpu = useGpu();

  it.each([
    [5, 3],
    [4096, 4],
    [3000, 64],
    [70_000, 5],
    [64, 130],
  ])("add up and measure %i rows of %i channels", async (rows, channels) => {
    const x = randomInput([rows, channels], 1).data.map((value, i) => 3 + value * (1 + (i % channels)));
    const walk = channelWalk(target(family), rows, channels, "reduce");
    const merges = mergeWalks(target(family), walk.partialCount, channels);

    const buffers: Record<string, Float32Array | number> = { x };
    const step = (partialCount: number, i: number): void => {
      buffers[`sum${i}`] = buffers[`mean${i}`] = buffers[`variance${i}`] = partialCount * channels;
      buffers[`count${i}`] = partialCount;
    };
    [walk, ...merges].forEach(({ partialCount }, i) => step(partialCount, i));
    const kernels = [
      bind(sumChannels(walk), { sum: "sum0" }),
      bind(moments(walk, 0), { mean: "mean0", variance: "variance0", count: "count0" }),
      ...merges.flatMap((merge, i) => [
        bind(sumChannels(merge), { x: `sum${i}`, sum: `sum${i + 1}` }),
        bind(mergeMoments(merge), {
          partialMean: `mean${i}`,
          partialVariance: `variance${i}`,
          partialCount: `count${i}`,
          mean: `mean${i + 1}`,
          variance: `variance${i + 1}`,
          count: `count${i + 1}`,
        }),
      ]),
    ];
    const last = merges.length;
    const results = ["sum", "mean", "variance", "count"].map((name) => `${name}${last}`);
    const read = await runKernels(gpu(), kernels, buffers, results);
    const [sum, mean, variance] = reference(x, channels);
    expectClose(read[results[0]], sum);
    expectClose(read[results[1]], mean);
    expectClose(read[results[2]], variance);
    expect(read[results[3]]).toEqual(Float32Array.of(rows));
  });
});

const values = (walk: ChannelWalk): Record<string, number> =>
  Object.fromEntries(Object.entries(walk.params).map(([name, { value }]) => [name, value]));

/** The kernel with some of its bindings under other names. */
const bind = (kernel: Kernel, names: Readonly<Record<string, string>>): Kernel => ({
  ...kernel,
  bindings: kernel.bindings.map((binding) => ({ ...binding, name: names[binding.name] ?? binding.name })),
});

/** Sum, mean and biased variance of each channel in float64. */
function reference(x: Float32Array, channels: number): Float64Array[] {
  const rows = x.length / channels;
  const sum = new Float64Array(channels);
  const variance = new Float64Array(channels);
  x.forEach((value, i) => (sum[i % channels] += value));
  const mean = sum.map((value) => value / rows);
  x.forEach((value, i) => (variance[i % channels] += (value - mean[i % channels]) ** 2 / rows));
  return [sum, mean, variance];
}
