import { describe, expect, it } from "vitest";
import { adamStep } from "../../src/kernels/adam.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { paperTarget } from "../helpers/target.ts";

describe("adamStep", () => {
  const gpu = useGpu();

  it.each([1, 2, 9, 10, 11, 50, 999, 1000, 1001, 20_000, 10_000_000])(
    "corrects the learning rate of step %i to 1e-6, small differences from 1 included",
    async (t) => {
      const [beta1, beta2, rate] = [0.9, 0.999, Math.fround(1e-3)];
      const kernels = [adamStep(paperTarget, { beta1, beta2 })];
      const buffers = { learningRate: Float32Array.of(rate), step: Float32Array.of(t - 1), alpha: 1 };
      const { step, alpha } = await runKernels(gpu(), kernels, buffers, ["step", "alpha"]);
      expect(step).toEqual(Float32Array.of(t));
      const exact = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
      expect(Math.abs(alpha[0] - exact) / exact).toBeLessThan(1e-6);
    },
  );
});
