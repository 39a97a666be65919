import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { crossEntropyAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import { focalLoss } from "../../../src/graph/ops/focal-loss.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { expectLoss, expectNothing, expectLossOfKernels, lossCase, mean, runLoss } from "./loss-cases.ts";
import type { Apply, Definition } from "./loss-cases.ts";

/** Lin et al. 2017, equation 5, with α a number for each class. */
const focal =
  (gamma: number): Definition =>
  (pixels, _, { classWeights }) =>
    mean(
      pixels.map(({ probabilities, label }) => {
        const p = probabilities[label];
        return -(classWeights?.[label] ?? 1) * (1 - p) ** gamma * Math.log(p);
      }),
    );

const withGamma =
  (gamma: number): Apply =>
  (logits, labels, options) =>
    focalLoss(logits, labels, { gamma, ...options });

describe("focalLoss", () => {
  const gpu = useGpu();

  it.each([0.5, 1, 2, 5])("is the paper's with γ = %s, loss and gradient", async (gamma) => {
    await expectLoss(gpu(), withGamma(gamma), focal(gamma), lossCase([2, 5, 3, 7], gamma));
  });

  it("is the same in all families of kernels", async () => {
    const apply: Apply = (logits, labels, options) => focalLoss(logits, labels, options);
    await expectLossOfKernels(gpu(), apply, focal(2), lossCase([2, 3, 3, 20], 3, { ignored: "some" }));
  });

  it("weighs classes and is multiplied before it is rounded, in half precision too", async () => {
    const data = {
      ...lossCase([3, 4, 5], 4, { ignored: "some" }),
      classWeights: Float32Array.of(1, 0, 2, 0.5, 3),
      lossScale: 1024,
    };
    await expectLoss(gpu(), withGamma(2), focal(2), data);
    await expectLoss(gpu(), withGamma(2), focal(2), { ...data, precision: "f16" }, {}, 3e-3);
  });

  it("is the cross-entropy, bit by bit, with γ = 0", async () => {
    const data = lossCase([2, 5, 3, 7], 1);
    const entropy = await runLoss(gpu(), crossEntropyAndAccuracy, data);
    expect(await runLoss(gpu(), withGamma(0), data)).toMatchObject(entropy);
  });

  it.each([0.1, 2])(
    "has neither loss nor gradient where a pixel is quite right, with γ = %s",
    async (gamma) => {
      const data = {
        shape: [2, 3],
        logits: Float32Array.of(200, 0, 0, 0, 0, -200),
        labels: Uint32Array.of(0, 1),
      };
      const { loss, gradient } = await runLoss(gpu(), withGamma(gamma), data);
      expect(loss[0]).toBeCloseTo((0.5 ** gamma * Math.LN2) / 2, 6);
      expect([...gradient.subarray(0, 3)].map(Math.abs)).toEqual([0, 0, 0]);
      expect(gradient.every(Number.isFinite)).toBe(true);
    },
  );

  it("is nothing where no pixel counts", () => expectNothing(gpu(), withGamma(2)));

  it("says what γ may be", () => {
    const graph = new Graph();
    const [logits, labels] = [graph.input("logits", [2, 5]), graph.input("labels", [2], "u32")];
    expect(() => focalLoss(logits, labels, { gamma: -1 })).toThrow(
      "focalLoss: gamma must be a number from 0 up, not -1.",
    );
  });
});
