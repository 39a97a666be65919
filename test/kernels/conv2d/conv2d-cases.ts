import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { conv2dBackwardData } from "../../../src/kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../../src/kernels/conv2d/backward-weights.ts";
import { conv2dForward } from "../../../src/kernels/conv2d/forward.ts";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import type { Padding } from "../../../src/kernels/text/window.ts";
import type { KernelTarget } from "../../../src/kernels/kernel.ts";
import { expectClose } from "../../helpers/close.ts";
import { targetFor } from "../../helpers/families.ts";
import type { Families } from "../../helpers/families.ts";
import { runKernels } from "../../helpers/gpu.ts";
import { numbers, referenceConv2d, sizes } from "./reference.ts";

const operands = (g: Conv2dGeometry): { x: Float32Array; w: Float32Array; dy: Float32Array } => {
  const size = sizes(g);
  return { x: numbers(size.x, 1), w: numbers(size.w, 2), dy: numbers(size.y, 3) };
};

/** Runs all three kernels; buffers that are written begin as rubbish. */
async function run(gpu: Gpu, target: KernelTarget, g: Conv2dGeometry): Promise<Record<string, Float32Array>> {
  const size = sizes(g);
  const rubbish = (length: number): Float32Array => new Float32Array(length).fill(1e6);
  const { partial, splits } = conv2dBackwardWeights(target, g);
  const { x, w, dy } = operands(g);
  const forward = await runKernels(
    gpu,
    [conv2dForward(target, g), conv2dBackwardData(target, g)],
    { x, w, dy, y: rubbish(size.y), dx: rubbish(size.x) },
    ["y", "dx"],
  );
  const partials = await runKernels(gpu, [partial], { x, dy, dw: rubbish(size.w * splits) }, ["dw"]);
  if (splits === 1) return { ...forward, ...partials };
  const sums = await runKernels(
    gpu,
    [sumPartials(target, size.w, splits)],
    { partials: partials.dw, dw: rubbish(size.w) },
    ["dw"],
  );
  return { ...forward, ...sums };
}

async function check(gpu: Gpu, target: KernelTarget, g: Conv2dGeometry): Promise<void> {
  const actual = await run(gpu, target, g);
  const expected = referenceConv2d(g, operands(g));
  expectClose(actual.y, expected.y);
  expectClose(actual.dx, expected.dx);
  expectClose(actual.dw, expected.dw);
}

const geometry = (
  x: readonly number[],
  kernel: readonly number[],
  strides: number | readonly [number, number] = 1,
  padding: Padding = "same",
): Conv2dGeometry => conv2dGeometry(x, kernel, { strides, padding });

const sides = (pad: number): Padding => ({ top: pad, bottom: pad, left: pad, right: pad });

const CASES: Record<string, Conv2dGeometry> = {
  "1×1, channels in fours": geometry([2, 5, 7, 8], [1, 1, 8, 36]),
  "1×1, more columns than a tile": geometry([1, 9, 9, 20], [1, 1, 20, 132]),
  "1×1, stride 2 (no phase but one has a tap)": geometry([2, 5, 6, 4], [1, 1, 4, 8], 2, "valid"),
  "3×3 same, 32 outputs": geometry([2, 6, 5, 12], [3, 3, 12, 32]),
  "3×3 on 2×2 pixels": geometry([3, 2, 2, 16], [3, 3, 16, 8]),
  "3×3 stride 2 same, even": geometry([2, 8, 6, 8], [3, 3, 8, 12], 2),
  "3×3 stride 2 same, odd": geometry([2, 7, 9, 5], [3, 3, 5, 3], 2),
  "7×7 stride 2 on 3 channels, padded by 3": geometry([2, 16, 14, 3], [7, 7, 3, 64], 2, sides(3)),
  "the head: 59 ← 128": geometry([1, 8, 8, 59], [3, 3, 59, 128], 2),
  "2×2 stride 3, unevenly padded": geometry([1, 7, 8, 1], [2, 2, 1, 5], 3, {
    top: 0,
    bottom: 2,
    left: 1,
    right: 0,
  }),
  "5×3, strides 1×2, valid": geometry([1, 9, 10, 4], [5, 3, 4, 59], [1, 2], "valid"),
  "so many pixels that a GPU's tiles are tall": geometry([1, 182, 182, 4], [1, 1, 4, 4]),
  "so many pixels and columns that a GPU's tiles are large": geometry([1, 128, 128, 4], [1, 1, 4, 36]),
  "one pixel, one channel": geometry([1, 1, 1, 1], [1, 1, 1, 1]),
};

/** Tests the three products of a convolution as each of the families. */
export function describeConv2d(families: Families, gpu: () => Gpu): void {
  describe.each(Object.entries(families))("conv2d with %s", (_, adapt) => {
    it.for(Object.entries(CASES))("computes %s", async ([, g], context) => {
      await check(gpu(), targetFor(gpu(), adapt, context), g);
    });

    it("sums weight gradients of many pixels, in splits and slices of the batch", async (context) => {
      const target = targetFor(gpu(), adapt, context);
      const g = geometry([4, 40, 40, 4], [3, 3, 4, 8]);
      const { x, dy } = operands(g);
      const size = sizes(g);
      const cut = (values: Float32Array, from: number, to: number): Float32Array =>
        values.slice((values.length / 4) * from, (values.length / 4) * to);
      let dw = new Float32Array(size.w).fill(1e6);
      for (const [from, to] of [
        [0, 3],
        [3, 4],
      ]) {
        const { partial, splits } = conv2dBackwardWeights(target, { ...g, batch: to - from });
        if (from === 0) expect(splits).toBeGreaterThan(1);
        const slice = { x: cut(x, from, to), dy: cut(dy, from, to), dw: size.w * splits };
        const partials = (await runKernels(gpu(), [partial], slice, ["dw"])).dw;
        const sum = sumPartials(target, size.w, splits, { accumulate: from > 0 });
        dw = (await runKernels(gpu(), [sum], { partials, dw }, ["dw"])).dw as typeof dw;
      }
      expectClose(dw, referenceConv2d(g, operands(g)).dw);
    });

    it("computes any small convolution", async (context) => {
      const target = targetFor(gpu(), adapt, context);
      const extent = fc.integer({ min: 1, max: 9 });
      // With barriers, a software adapter compiles each text for seconds.
      const channels = target.family === "workgroup" ? fc.constantFrom(5, 8) : fc.constantFrom(1, 3, 4, 5, 8);
      const size = fc.constantFrom(1, 2, 3, 5);
      const padding = fc.oneof(
        fc.constantFrom("same" as const, "valid" as const),
        fc.record({ top: fc.nat(2), bottom: fc.nat(2), left: fc.nat(2), right: fc.nat(2) }),
      );
      const stride = fc.integer({ min: 1, max: 3 });
      await fc.assert(
        fc.asyncProperty(
          fc.tuple(fc.integer({ min: 1, max: 3 }), extent, extent, channels),
          fc.tuple(size, size, channels),
          fc.tuple(stride, stride),
          padding,
          async (xShape, [height, width, out], strides, padding) => {
            let g: Conv2dGeometry;
            try {
              g = geometry(xShape, [height, width, xShape[3], out], strides, padding);
            } catch {
              return fc.pre(false);
            }
            await check(gpu(), target, g);
          },
        ),
        { numRuns: target.family === "workgroup" ? 10 : 25, seed: 7 },
      );
    });

    it("gives the same bits again", async (context) => {
      const target = targetFor(gpu(), adapt, context);
      const g = CASES["3×3 stride 2 same, even"];
      expect(await run(gpu(), target, g)).toEqual(await run(gpu(), target, g));
    });

    it("folds grids that are longer than the adapter allows", async (context) => {
      await check(
        gpu(),
        { ...targetFor(gpu(), adapt, context), maxWorkgroupsPerDimension: 3 },
        geometry([2, 12, 12, 4], [3, 3, 4, 36]),
      );
    });
  });
}
