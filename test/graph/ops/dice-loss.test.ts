import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { diceLoss } from "../../../src/graph/ops/dice-loss.ts";
import { useGpu } from "../../helpers/gpu.ts";
import {
  expectLoss,
  expectNothing,
  expectLossOfKernels,
  lossCase,
  mean,
  presentClasses,
  runLoss,
  runPlannedLoss,
} from "./loss-cases.ts";
import type { Apply, Definition } from "./loss-cases.ts";

describe("diceLoss", () => {
  const gpu = useGpu();

  /** Keras's `Dice` of each class, without epsilon, over the classes that are present. */
  const dice =
    (smooth = 0): Definition =>
    (pixels) =>
      mean(
        presentClasses(pixels).map((c) => {
          const sum = (of: (p: number, truth: number) => number): number =>
            pixels.reduce(
              (total, { probabilities, label }) => total + of(probabilities[c], label === c ? 1 : 0),
              0,
            );
          const [common, both] = [sum((p, truth) => p * truth), sum((p, truth) => p + truth)];
          return 1 - (2 * common + smooth) / (both + smooth);
        }),
      );
  /** Keras's cross-entropy with label smoothing, times the weight of the label. */
  const smoothed =
    (labelSmoothing: number): Definition =>
    (pixels, classes, { classWeights }) =>
      mean(
        pixels.map(({ probabilities, label }) => {
          const truth = (c: number): number =>
            (c === label ? 1 - labelSmoothing : 0) + labelSmoothing / classes;
          const entropy = probabilities.reduce((sum, p, c) => sum - truth(c) * Math.log(p), 0);
          return entropy * (classWeights?.[label] ?? 1);
        }),
      );
  const plain: Apply = (logits, labels, { ignoreLabel }) => diceLoss(logits, labels, { ignoreLabel });

  it.each([undefined, "some" as const])(
    "is the definition's, loss and gradient, with %s ignored",
    async (ignored) => {
      await expectLoss(gpu(), plain, dice(), lossCase([2, 9, 8, 3], 3, ignored && { ignored }));
      const smooth: Apply = (logits, labels, { ignoreLabel }) =>
        diceLoss(logits, labels, { ignoreLabel, smooth: 1 });
      await expectLoss(gpu(), smooth, dice(1), lossCase([2, 9, 8, 3], 3, ignored && { ignored }));
    },
  );

  it("is exactly 0 where the prediction is perfect, whatever classes are not there", async () => {
    const shape = [2, 40, 6];
    const labels = Uint32Array.from({ length: 80 }, (_, i) => (i % 7 === 0 ? 4 : i % 3));
    const logits = Float32Array.from({ length: 480 }, (_, i) =>
      i % 6 === labels[Math.floor(i / 6)] ? 200 : 0,
    );
    const { loss, accuracy, gradient } = await runLoss(gpu(), plain, { shape, logits, labels });
    expect([loss[0], accuracy[0]]).toEqual([0, 1]);
    expect(gradient.every((value) => Math.abs(value) === 0)).toBe(true);
  });

  it("adds the cross-entropy, with weights and smoothing of its own", async () => {
    const labelSmoothing = 0.1;
    const both: Apply = (logits, labels, { ignoreLabel, classWeights }) =>
      diceLoss(logits, labels, { ignoreLabel, crossEntropy: { classWeights, labelSmoothing } });
    const sum: Definition = (...batch) => dice()(...batch) + smoothed(labelSmoothing)(...batch);
    const classWeights = Float32Array.of(1, 0.2, 3);
    for (const ignored of [undefined, "some" as const])
      for (const lossScale of [undefined, 64])
        await expectLoss(gpu(), both, sum, {
          ...lossCase([2, 9, 8, 3], 5, ignored && { ignored }),
          classWeights,
          lossScale,
        });
    await expectLossOfKernels(gpu(), both, sum, { ...lossCase([2, 3, 3, 3], 6), classWeights });
    await expectNothing(gpu(), (logits, labels, { ignoreLabel }) =>
      diceLoss(logits, labels, { ignoreLabel, crossEntropy: {} }),
    );
  });

  it("gives the same, bit by bit, in pieces along the batch, and reads the logits once forth and once back", async () => {
    const both: Apply = (logits, labels, { ignoreLabel }) =>
      diceLoss(logits, labels, { ignoreLabel, crossEntropy: {} });
    const data = lossCase([70, 8, 8, 6], 7, { ignored: "some" });
    const whole = await runLoss(gpu(), both, data);
    const { values: pieces, plan } = await runPlannedLoss(gpu(), both, data, {
      maxBindingBytes: 16 * 64 * 6 * 4,
    });
    expect(pieces).toEqual(whole);
    const readers = plan.dispatches.filter(({ kernel }) => kernel.label.startsWith("softmax_region"));
    expect(readers).toHaveLength(10);
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const [logits, labels] = [graph.input("logits", [2, 5]), graph.input("labels", [2], "u32")];
    expect(() => diceLoss(logits, labels, { smooth: NaN })).toThrow(
      "diceLoss: smooth must be a number from 0 up, not NaN.",
    );
    expect(() => diceLoss(logits, labels, { crossEntropy: { labelSmoothing: 1 } })).toThrow(
      "diceLoss: the label smoothing must be at least 0 and below 1, not 1.",
    );
    expect(() => diceLoss(logits, labels, { crossEntropy: { classWeights: labels } })).toThrow(
      'diceLoss: the class weights must be f32 [5]; "labels" is u32 [2].',
    );
  });
});
