import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { turnKernel } from "../../src/kernels/turn-kernel.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { compiledCases } from "../helpers/compiled-cases.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { compileQuickly } from "../helpers/quick-compiler.ts";
import { numbers } from "./conv2d/reference.ts";

compileQuickly();
const gpu = useGpu();

describe("a kernel turned by half a turn", () => {
  const extent = fc.integer({ min: 1, max: 4 });
  const channels = fc.constantFrom(1, 4, 5, 12, 19, 20, 36);

  it("has its taps the other way round and its channels exchanged", () =>
    fc.assert(
      fc.asyncProperty(fc.tuple(extent, extent, channels, channels), async ([kh, kw, columns, rows]) => {
        const x = numbers(kh * kw * columns * rows, 1);
        const kernel = turnKernel(kernelTarget(gpu()), kh * kw, rows, columns);
        const { y } = await runKernels(gpu(), [kernel], { x, y: x.length }, ["y"]);
        const expected = new Float32Array(x.length);
        for (let ky = 0; ky < kh; ky++)
          for (let kx = 0; kx < kw; kx++)
            for (let row = 0; row < rows; row++)
              for (let column = 0; column < columns; column++)
                expected[((ky * kw + kx) * rows + row) * columns + column] =
                  x[(((kh - 1 - ky) * kw + kw - 1 - kx) * columns + column) * rows + row];
        expect(y).toEqual(expected);
      }),
      compiledCases(20),
    ));
});
