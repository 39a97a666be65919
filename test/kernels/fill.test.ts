import { expect, it } from "vitest";
import { fillForward, fillGaps } from "../../src/kernels/fill.ts";
import { FAMILIES, targetFor } from "../helpers/families.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";

const gpu = useGpu();

it.for(Object.entries(FAMILIES))(
  "fills a range, and the gaps between ranges, with %s",
  async ([, adapt], context) => {
    const target = targetFor(gpu(), adapt, context);
    const y = Float32Array.from({ length: 300 }, (_, i) => i + 1);
    const gaps = [
      { begin: 3, count: 5 },
      { begin: 60, count: 1 },
      { begin: 100, count: 150 },
    ];
    const kernels = [fillForward(target, 7, 2.5, 20), fillGaps(target, gaps)];
    const expected = y.slice().fill(2.5, 20, 27);
    for (const { begin, count } of gaps) expected.fill(0, begin, begin + count);
    const results = await runKernels(gpu(), kernels, { y }, ["y"]);
    expect(results.y).toEqual(expected);
  },
);
