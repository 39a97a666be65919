import { describe, expect, it } from "vitest";
import { lossScaleStep } from "../../src/kernels/loss-scale.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { paperTarget } from "../helpers/target.ts";

describe("lossScaleStep", () => {
  const gpu = useGpu();

  async function step(scale: number, norm: number, clipNorm: number | null = null) {
    const buffers = { norm: Float32Array.of(norm), scale: Float32Array.of(scale), goodSteps: 1 };
    const results = { factor: 1, trueNorm: 1, exhausted: 1 };
    const kernel = lossScaleStep(paperTarget, { growthSteps: 1, clipNorm });
    const read = await runKernels(gpu(), [kernel], { ...buffers, ...results }, [
      "scale",
      "factor",
      "trueNorm",
      "exhausted",
    ]);
    const [exhausted] = read.exhausted;
    return { scale: read.scale[0], factor: read.factor[0], norm: read.trueNorm[0], exhausted };
  }

  // WGSL allows a quotient to be inexact; bits that do not depend on the scale rest on these being exact.
  it("inverts powers of two exactly", async () => {
    for (let power = 0; power <= 126; power += 3) {
      const scale = 2 ** power;
      const norm = Math.fround(1.7);
      expect(await step(scale, norm)).toEqual({
        scale: Math.min(2 * scale, 2 ** 126),
        factor: 1 / scale,
        norm: Math.fround(norm / scale),
        exhausted: 0,
      });
    }
  });

  it("grows no further than it can come back from", async () => {
    expect((await step(2 ** 125, 0)).scale).toBe(2 ** 126);
    expect((await step(2 ** 126, 0)).scale).toBe(2 ** 126);
    expect(await step(2 ** 126, Infinity)).toMatchObject({ scale: 2 ** 125, factor: 0 });
  });

  it("takes a norm of nothing", async () => {
    expect(await step(4, 0, 1)).toEqual({ scale: 8, factor: 0.25, norm: 0, exhausted: 0 });
  });

  it("says when it can become no smaller and the norm is still not finite", async () => {
    for (const norm of [Infinity, NaN]) {
      expect(await step(1, norm)).toMatchObject({ scale: 1, factor: 0, exhausted: 1 });
      expect(await step(2, norm)).toMatchObject({ scale: 1, factor: 0, exhausted: 0 });
    }
    expect(await step(1, 3)).toMatchObject({ scale: 2, factor: 1, exhausted: 0 });
  });
});
