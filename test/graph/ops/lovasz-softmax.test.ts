import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { lovaszSoftmax } from "../../../src/graph/ops/lovasz-softmax.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";
import {
  countedPixels,
  IGNORED,
  expectLoss,
  expectLossOfKernels,
  expectNothing,
  lossCase,
  mean,
  presentClasses,
  referenceOf,
  runLoss,
  runPlannedLoss,
} from "./loss-cases.ts";
import type { Apply, Definition, LossCase } from "./loss-cases.ts";

/** `lovasz_softmax_flat` of the paper's authors, `classes="present"`. */
const lovasz =
  (errorOf: (p: number, isLabel: boolean) => number = (p, isLabel) => (isLabel ? 1 - p : p)): Definition =>
  (pixels) =>
    mean(
      presentClasses(pixels).map((c) => {
        const sorted = pixels
          .map(({ probabilities, label }) => ({
            error: errorOf(probabilities[c], label === c),
            isLabel: label === c,
          }))
          .sort((a, b) => b.error - a.error);
        const all = sorted.filter(({ isLabel }) => isLabel).length;
        let [found, before, loss] = [0, 0, 0];
        sorted.forEach(({ error, isLabel }, i) => {
          if (isLabel) found++;
          const jaccard = 1 - (all - found) / (all + (i + 1) - found);
          loss += error * (jaccard - before);
          before = jaccard;
        });
        return loss;
      }),
    );

const apply: Apply = (logits, labels, { ignoreLabel }) => lovaszSoftmax(logits, labels, { ignoreLabel });

const STEPS = 2 ** 14;
const roundedError = (p: number, isLabel: boolean): number =>
  Math.round((isLabel ? 1 - p : p) * STEPS) / STEPS;

/** Whether no two errors of a class round to the same, so that the order is that of the errors themselves. */
function inOrder(data: LossCase): boolean {
  const pixels = countedPixels(data);
  return presentClasses(pixels).every((c) => {
    const errors = pixels.map(({ probabilities, label }) => roundedError(probabilities[c], label === c));
    return new Set(errors).size === errors.length;
  });
}

describe("lovaszSoftmax", () => {
  const gpu = useGpu();

  /** The first case from a seed on whose errors are all apart. */
  function apart(...[shape, seed, options]: Parameters<typeof lossCase>): LossCase {
    for (let tried = seed; tried < seed + 200; tried++) {
      const data = lossCase(shape, tried, options);
      if (inOrder(data)) return data;
    }
    throw new Error("Some errors round to the same in every case.");
  }

  it.each([
    [[1, 2], undefined],
    [[7, 3], undefined],
    [[2, 3, 4, 5], undefined],
    [[2, 3, 4, 5], "some"],
    [[3, 2, 9], "some"],
  ] as const)("is the authors' with %j, loss and gradient", async (shape, ignored) => {
    const data = apart(shape, 1, ignored && { ignored });
    // The loss is that of rounded errors.
    const { loss, accuracy, gradient } = await runLoss(gpu(), apply, data);
    const expected = referenceOf(lovasz(), data);
    expect(Math.abs(loss[0] - expected.loss)).toBeLessThan(2 ** -15 + 1e-6);
    expect(accuracy[0]).toBeCloseTo(expected.accuracy, 6);
    expectClose(gradient, expected.gradient);
    expect(loss[0]).toBeCloseTo(referenceOf(lovasz(roundedError), data).loss, 6);
  });

  it("is the same in all families of kernels", async () => {
    // 140 classes are more than a lane holds.
    for (const classes of [20, 140]) {
      const data = apart([2, 3, classes], 3, { ignored: "some" });
      await expectLossOfKernels(gpu(), apply, lovasz(), data, 2 ** -15);
    }
  });

  it("is that of the rounded errors where many are equal, and gives the same, bit by bit, in pieces", async () => {
    const data = lossCase([34, 48, 48, 2], 2, { ignored: "some", classes: [0, 0, 0, 1] });
    const whole = await runLoss(gpu(), apply, data);
    const pixels = countedPixels(data);
    const exact = lovasz()(pixels, 2, data);
    expect(Math.abs(whole.loss[0] - exact)).toBeLessThan(2 ** -15);
    expect(whole.loss[0]).toBeCloseTo(lovasz(roundedError)(pixels, 2, data), 6);
    expect(inOrder(data)).toBe(false);

    const { values: pieces, plan } = await runPlannedLoss(gpu(), apply, data, {
      maxBindingBytes: 16 * 48 ** 2 * 2 * 4,
    });
    expect(pieces).toEqual(whole);
    const readers = plan.dispatches.filter(({ kernel }) => /^lovasz_(histogram|gradient)/.test(kernel.label));
    expect(readers).toHaveLength(6);

    // A subgradient: along any line the loss rises by no less than the gradient says, but for what rounding hides.
    for (const seed of [1, 2, 3]) {
      const step = randomInput(data.shape, seed).data.map((value) => 1e-3 * value);
      const moved = countedPixels(
        data,
        data.logits.map((value, i) => value + step[i]),
      );
      const rise = lovasz()(moved, 2, data) - exact;
      expect(Math.abs(rise - dotProduct(whole.gradient, step))).toBeLessThan(0.01 * 1e-3);
    }
  });

  it("is 0 where the prediction is perfect, whatever classes are not there", async () => {
    const shape = [2, 40, 6];
    const labels = Uint32Array.from({ length: 80 }, (_, i) => (i % 7 === 0 ? 4 : i % 3));
    const logits = Float32Array.from({ length: 480 }, (_, i) =>
      i % 6 === labels[Math.floor(i / 6)] ? 200 : 0,
    );
    const { loss, accuracy, gradient } = await runLoss(gpu(), apply, { shape, logits, labels });
    expect([loss[0], accuracy[0]]).toEqual([0, 1]);
    expect(gradient.every((value) => Math.abs(value) === 0)).toBe(true);
  });

  it("is multiplied before it is rounded, in half precision too", async () => {
    const data = { ...apart([3, 4, 5], 4, { ignored: "some" }), lossScale: 1024 };
    await expectLoss(gpu(), apply, lovasz(), data, {}, 2 ** -15);
    await expectLoss(gpu(), apply, lovasz(), { ...data, precision: "f16" }, {}, 5e-3);
  });

  it("is not a number where a logit that counts is none", async () => {
    const { logits, ...data } = lossCase([3, 4, 5], 4, { ignored: "some" });
    const broken = (pixel: number): LossCase => {
      const values = logits.slice();
      values[5 * pixel + 1] = NaN;
      return { ...data, logits: values };
    };
    const counted = data.labels.findIndex((label) => label !== IGNORED);
    expect((await runLoss(gpu(), apply, broken(counted))).loss).toEqual(Float32Array.of(NaN));
    expect((await runLoss(gpu(), apply, broken(data.labels.indexOf(IGNORED)))).loss[0]).toBeGreaterThan(0);
  });

  it("is nothing where no pixel counts", () => expectNothing(gpu(), apply));

  it("says what does not fit", () => {
    const graph = new Graph();
    const [logits, labels] = [graph.input("logits", [2, 5]), graph.input("labels", [2], "u32")];
    expect(() => lovaszSoftmax(logits, graph.input("short", [1], "u32"))).toThrow(
      'lovaszSoftmax: the logits "logits" [2, 5] take u32 labels [2]; "short" is u32 [1].',
    );
    expect(() => gradients(lovaszSoftmax(logits, labels).accuracy, [logits])).toThrow(
      "lovaszSoftmax: only the loss has a gradient.",
    );
  });
});
