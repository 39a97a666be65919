import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { tverskyLoss } from "../../../src/graph/ops/tversky-loss.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import {
  expectLoss,
  expectNothing,
  expectLossOfKernels,
  lossCase,
  mean,
  presentClasses,
} from "./loss-cases.ts";
import type { Apply, Definition } from "./loss-cases.ts";

/** Salehi et al. 2017, equation 2, from 1, over the classes that are present. */
const tversky =
  (alpha: number, beta: number, smooth = 0): Definition =>
  (pixels) =>
    mean(
      presentClasses(pixels).map((c) => {
        const sum = (of: (p: number, truth: number) => number): number =>
          pixels.reduce(
            (total, { probabilities, label }) => total + of(probabilities[c], label === c ? 1 : 0),
            0,
          );
        const common = sum((p, truth) => p * truth);
        const falsePositives = sum((p, truth) => p * (1 - truth));
        const falseNegatives = sum((p, truth) => (1 - p) * truth);
        return 1 - (common + smooth) / (common + alpha * falsePositives + beta * falseNegatives + smooth);
      }),
    );

const byDefault: Apply = (logits, labels, { ignoreLabel }) => tverskyLoss(logits, labels, { ignoreLabel });

describe("tverskyLoss", () => {
  const gpu = useGpu();

  it("is the definition's, loss and gradient", async () => {
    const cases = fc.record({
      // Images of less than one partial, and of several.
      outer: fc.constantFrom([1], [5], [3, 7], [2, 9, 8]),
      classes: fc.constantFrom(2, 3, 7),
      seed: fc.nat(1000),
      ignored: fc.constantFrom(undefined, "some" as const),
      weights: fc.constantFrom<[number, number, number]>(
        [0.3, 0.7, 0],
        [1, 1, 0],
        [0, 0.5, 0],
        [0.3, 0.7, 1.5],
      ),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ outer, classes, seed, ignored, weights: [alpha, beta, smooth] }) => {
        const apply: Apply = (logits, labels, { ignoreLabel }) =>
          tverskyLoss(logits, labels, { alpha, beta, smooth, ignoreLabel });
        // A class that no pixel has, besides.
        const among = Array.from({ length: Math.max(1, classes - 1) }, (_, i) => i);
        const data = lossCase([...outer, classes], seed, { ...(ignored && { ignored }), classes: among });
        await expectLoss(gpu(), apply, tversky(alpha, beta, smooth), data);
      }),
      compiledCases(16),
    );
  });

  // 140 classes are more than a lane keeps sums of.
  it.each([20, 140])("is the same in all families of kernels, with %i classes", async (classes) => {
    const data = lossCase([1, 3, classes], 3, { ignored: "some", classes: [0, 1, 17] });
    await expectLossOfKernels(gpu(), byDefault, tversky(0.3, 0.7), data);
  });

  it("is multiplied before it is rounded, in half precision too", async () => {
    const data = { ...lossCase([3, 4, 5], 4, { ignored: "some" }), lossScale: 1024 };
    await expectLoss(gpu(), byDefault, tversky(0.3, 0.7), data);
    await expectLoss(gpu(), byDefault, tversky(0.3, 0.7), { ...data, precision: "f16" }, {}, 3e-3);
  });

  it("is nothing where no pixel counts", () => expectNothing(gpu(), byDefault));

  it("says what does not fit", () => {
    const graph = new Graph();
    const [logits, labels] = [graph.input("logits", [2, 5]), graph.input("labels", [2], "u32")];
    expect(() => tverskyLoss(logits, labels, { alpha: -1 })).toThrow(
      "tverskyLoss: alpha must be a number from 0 up, not -1.",
    );
    expect(() => tverskyLoss(logits, labels, { beta: 0 })).toThrow(
      "tverskyLoss: beta must be a number above 0, not 0.",
    );
    expect(() => tverskyLoss(logits, graph.input("short", [1], "u32"))).toThrow(
      'tverskyLoss: the logits "logits" [2, 5] take u32 labels [2]; "short" is u32 [1].',
    );
    expect(() => gradients(tverskyLoss(logits, labels).accuracy, [logits])).toThrow(
      "tverskyLoss: only the loss has a gradient.",
    );
  });
});
