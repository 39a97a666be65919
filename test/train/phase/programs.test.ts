import { describe, expect, it } from "vitest";
import { storageOf } from "../../../src/graph/graph.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { Goals } from "../../../src/graph/plan.ts";
import { encoderNamed } from "../../../src/layers/networks/encoders.ts";
import { evaluator, trainingPass, trainingStep } from "../../../src/train/phase/programs.ts";
import type { StepSpec } from "../../../src/train/phase/programs.ts";
import { paperTarget } from "../../helpers/target.ts";

const spec: StepSpec = {
  ...{ batchSize: 2, imageSize: 32, classes: 7, momentum: 0.9 },
  ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
};

it("batch norms keep as much of their statistics as their layers say, or all what is said for all", () => {
  const moved = (momentum?: number): Record<string, unknown[]> => {
    const { graph } = trainingPass({ ...spec, encoder: encoderNamed("mobilenetv2"), momentum }, "finetune");
    const found: Record<string, Set<unknown>> = {};
    for (const { op } of graph.nodes) {
      if (op.pattern?.kind !== "movingStatistics") continue;
      const { movingMean, momentum } = op.pattern;
      (found[storageOf(movingMean).variable!.group!] ??= new Set()).add(momentum);
    }
    return Object.fromEntries(Object.entries(found).map(([group, momenta]) => [group, [...momenta]]));
  };
  expect(moved()).toEqual({ encoder: [0.999], decoder: [0.99] });
  expect(moved(0.5)).toEqual({ encoder: [0.5], decoder: [0.5] });
});

it("an encoder that is trained by its moving statistics leaves them as they are and learns all the rest", () => {
  const pass = (encoderStatistics: StepSpec["encoderStatistics"]): { moved: string[]; learned: string[] } => {
    const { graph, gradients } = trainingPass({ ...spec, encoderStatistics }, "finetune");
    const moved = graph.nodes.flatMap(({ op }) =>
      op.pattern?.kind === "movingStatistics" ? [storageOf(op.pattern.movingMean).variable!.group!] : [],
    );
    const learned = [...gradients.keys()].map(({ name }) => name);
    return { moved: [...new Set(moved)].sort(), learned: learned.sort() };
  };
  const [batch, moving] = [pass("batch"), pass("moving")];
  expect(batch.moved).toEqual(["decoder", "encoder"]);
  expect(moving.moved).toEqual(["decoder"]);
  expect(moving.learned).toEqual(batch.learned);
});

describe("programs of a data set in which some pixels do not count", () => {
  const kernels = (goals: Goals): string[] =>
    plan(goals, paperTarget).dispatches.map(({ kernel }) => kernel.wgsl);
  const ignores = (text: string): boolean => text.includes("params.ignored");

  it("leave them out of the training step, and are the others but for the loss", () => {
    const step = (some: Partial<StepSpec>): string[] => kernels(trainingStep({ ...spec, ...some }, "frozen"));
    const [all, some] = [step({}), step({ ignores: true })];
    expect(all.filter(ignores)).toEqual([]);
    // Those that count pixels, and the loss with its gradient, which is made along with it.
    expect(new Set(some.filter(ignores)).size).toBe(2);
    const others = (texts: readonly string[]): string[] =>
      texts.filter((text) => !/softmax|params.ignored|load_counts|params.partials|stored_losses/.test(text));
    expect(others(some)).toEqual(others(all));
    expect(step({ ignores: false })).toEqual(all);
  });

  it("leave them out of every evaluation, whose last batch may be filled up", () => {
    const texts = kernels(evaluator(spec));
    // Those that count pixels, the loss and the confusion matrix.
    expect(new Set(texts.filter(ignores)).size).toBe(3);
    expect(kernels(evaluator({ ...spec, ignores: true }))).toEqual(texts);
  });
});
