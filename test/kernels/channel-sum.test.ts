import { describe, expect, it } from "vitest";
import { sumOverPartials } from "../../src/kernels/channel-sum.ts";
import type { PartialSum } from "../../src/kernels/channel-sum.ts";
import type { KernelTarget } from "../../src/kernels/kernel.ts";
import { expectClose } from "../helpers/close.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { paperGpu, paperTarget } from "../helpers/target.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";

const CASES: Record<string, readonly PartialSum[]> = {
  "one of channels in fours": [{ partialCount: 37, count: 12, to: 0, begin: 0 }],
  "three of channels in fours, two of them to one buffer": [
    { partialCount: 3, count: 8, to: 0, begin: 4 },
    { partialCount: 200, count: 4, to: 1, begin: 0 },
    { partialCount: 1, count: 12, to: 0, begin: 16 },
  ],
  "of channels that do not come in fours, beside some that do": [
    { partialCount: 5, count: 3, to: 0, begin: 1 },
    { partialCount: 9, count: 8, to: 0, begin: 5 },
    { partialCount: 130, count: 7, to: 1, begin: 0 },
  ],
};

describe("sumOverPartials", () => {
  const gpu = useGpu();
  const families: Record<string, KernelTarget> = {
    register: paperTarget,
    workgroup: { ...paperGpu, subgroupSize: 0 },
  };

  for (const [family, target] of Object.entries(families)) {
    it.each(Object.entries(CASES))(`sums matrices over their rows: %s (${family})`, async (_, sums) => {
      const inputs = sums.map(({ partialCount, count }, i) => randomInput([partialCount, count], i + 1).data);
      const results = [...new Set(sums.map(({ to }) => `sum${to}`))];
      const expected = results.map(() => new Float32Array(32));
      sums.forEach(({ count, to, begin }, i) =>
        inputs[i].forEach((value, at) => (expected[to][begin + (at % count)] += value)),
      );
      const buffers: Record<string, Float32Array | number> = {
        ...Object.fromEntries(inputs.map((data, i) => [`x${i}`, data])),
        ...Object.fromEntries(results.map((name) => [name, 32])),
      };
      const made = await runKernels(gpu(), [sumOverPartials(target, sums)], buffers, results);
      results.forEach((name, i) => expectClose(made[name], expected[i]));
    });
  }

  it("is one text for any extents", () => {
    const text = (partialCount: number, count: number): string =>
      sumOverPartials(paperTarget, [{ partialCount, count, to: 0, begin: 0 }]).wgsl;
    expect(text(3, 8)).toBe(text(100, 1024));
    expect(text(3, 7)).not.toBe(text(3, 8));
  });
});
