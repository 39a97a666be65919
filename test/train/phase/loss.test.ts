import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../src/config/index.ts";
import type { Said } from "../../../src/config/index.ts";
import { IGNORED_LABEL } from "../../../src/data/batch.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { crossEntropyAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import type { LossAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import { diceLoss } from "../../../src/graph/ops/dice-loss.ts";
import { focalLoss } from "../../../src/graph/ops/focal-loss.ts";
import { lovaszSoftmax } from "../../../src/graph/ops/lovasz-softmax.ts";
import { tverskyLoss } from "../../../src/graph/ops/tversky-loss.ts";
import { adam } from "../../../src/graph/optimizers/adam.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { lossOf, lossSpec } from "../../../src/train/phase/loss.ts";
import { evaluator, trainingStep } from "../../../src/train/phase/programs.ts";
import type { StepSpec } from "../../../src/train/phase/programs.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";

const specOf = (said: Said) => lossSpec(resolveConfig([{ file: null, said }], "lavapipe"));

type Make = (logits: Tensor, labels: Tensor, classWeights: Tensor) => LossAndAccuracy;
const ignoreLabel = IGNORED_LABEL;

describe("lossOf", () => {
  /** What a loss and its gradient run, numbers included. */
  function dispatchesOf(make: Make): unknown[] {
    const graph = new Graph();
    const logits = graph.input("logits", [2, 4, 4, 5]);
    const labels = graph.input("labels", [2, 4, 4], "u32");
    const { loss, accuracy } = make(logits, labels, graph.input("weights", [5]));
    const gradient = gradients(loss, [logits]).get(logits)!;
    const { dispatches } = plan({ outputs: { loss, accuracy, gradient } }, paperTarget);
    return dispatches.map(({ kernel: { wgsl, uniforms } }) => [wgsl, uniforms && new Uint32Array(uniforms)]);
  }

  it.each<[Said, Make]>([
    [
      { loss: "cross-entropy" },
      (x, t, classWeights) => crossEntropyAndAccuracy(x, t, { classWeights, ignoreLabel }),
    ],
    [
      { loss: "cross-entropy", labelSmoothing: 0.1 },
      (x, t, classWeights) =>
        crossEntropyAndAccuracy(x, t, { classWeights, ignoreLabel, labelSmoothing: 0.1 }),
    ],
    [{ loss: "focal" }, (x, t, classWeights) => focalLoss(x, t, { classWeights, ignoreLabel, gamma: 2 })],
    [
      { loss: "focal", focalGamma: 3 },
      (x, t, classWeights) => focalLoss(x, t, { classWeights, ignoreLabel, gamma: 3 }),
    ],
    [{ loss: "dice" }, (x, t) => diceLoss(x, t, { ignoreLabel })],
    [
      { loss: "dice-cross-entropy", labelSmoothing: 0.2 },
      (x, t, classWeights) =>
        diceLoss(x, t, { ignoreLabel, crossEntropy: { classWeights, labelSmoothing: 0.2 } }),
    ],
    [{ loss: "tversky" }, (x, t) => tverskyLoss(x, t, { ignoreLabel, alpha: 0.3, beta: 0.7 })],
    [
      { loss: "tversky", tverskyAlpha: 0.1, tverskyBeta: 0.6 },
      (x, t) => tverskyLoss(x, t, { ignoreLabel, alpha: 0.1, beta: 0.6 }),
    ],
    [{ loss: "lovasz" }, (x, t) => lovaszSoftmax(x, t, { ignoreLabel })],
  ])("of %j is the op with the numbers of the settings", (said, op) => {
    const criterion = { loss: specOf(said), ignores: true };
    const chosen: Make = (logits, labels, classWeights) =>
      lossOf(criterion, logits, labels, { classWeights });
    expect(dispatchesOf(chosen)).toEqual(dispatchesOf(op));
    const all: Make = (logits, labels, classWeights) =>
      lossOf({ loss: specOf(said) }, logits, labels, { classWeights });
    expect(dispatchesOf(all)).not.toEqual(dispatchesOf(op));
  });

  it("is the loss of training and of validation", () => {
    const spec: StepSpec = {
      ...{ batchSize: 2, imageSize: 32, classes: 7, momentum: 0.9 },
      ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
    };
    const kernels = { dice: "softmax_region_sums", lovasz: "lovasz_histogram" };
    for (const [name, kernel] of Object.entries(kernels)) {
      const of = { ...spec, loss: specOf({ loss: name }) };
      for (const goals of [trainingStep(of, "frozen"), evaluator(of)])
        expect(plan(goals, paperTarget).dispatches.map(({ kernel }) => kernel.label)).toContain(kernel);
    }
  });
});

describe("every loss", () => {
  const gpu = useGpu();

  it.each(["cross-entropy", "dice", "dice-cross-entropy", "focal", "tversky", "lovasz"])(
    "can be learned by: %s",
    async (loss) => {
      const graph = new Graph();
      const logits = graph.parameter("logits", [2, 4, 4, 5], zeros);
      const labels = graph.input("labels", [2, 4, 4], "u32");
      const outputs = { ...lossOf({ loss: specOf({ loss }), ignores: true }, logits, labels) };
      const updates = adam(gradients(outputs.loss), { learningRate: 0.1 });
      const variables = new Variables(gpu());
      const program = await compile(gpu(), { outputs, updates, variables });
      const truth = Uint32Array.from({ length: 32 }, (_, i) => (i % 5 === 0 ? IGNORED_LABEL : i % 4));
      const step = async (): Promise<number[]> => {
        const { loss, accuracy } = await program.run({ labels: truth });
        return [loss[0], accuracy[0]];
      };
      const [before] = await step();
      let after: number[] = [];
      for (let i = 0; i < 60; i++) after = await step();
      program.destroy();
      variables.destroy();
      expect(after[0]).toBeLessThan(before / 4);
      expect(after[1]).toBe(1);
    },
  );
});
