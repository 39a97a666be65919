import { describe, expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { gradients, trainable } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { adam } from "../../../src/graph/optimizers/adam.ts";
import { crossEntropyAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import { mean } from "../../../src/graph/ops/reduce.ts";
import { runCount } from "../../../src/graph/ops/run-count.ts";
import { Variables } from "../../../src/graph/variables.ts";
import {
  activation,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  maxPooling2d,
  sequential,
} from "../../../src/layers.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const count = (values: ArrayLike<number>, value: number): number =>
  Array.from(values).filter((each) => each === value).length;

describe("sequential", () => {
  const gpu = useGpu();

  it("trains in one program and is used by another over the same variables", async () => {
    const model = sequential([
      conv2d(6, 3, { useBias: false }),
      batchNormalization({ momentum: 0.5, activation: "relu" }),
      maxPooling2d(2),
      flatten(),
      dropout(0.2),
      dense(3),
    ]);
    const labels = Uint32Array.from({ length: 24 }, (_, i) => i % 3);
    const noise = randomInput([24, 8, 8, 1], 1).data;
    // A class is bright in a part of its own.
    const images = noise.map(
      (value, i) => value * 0.3 + (Math.floor((i % 64) / 22) === Math.floor(i / 64) % 3 ? 1 : 0),
    );

    using variables = new Variables(gpu(), { seed: 1 });
    const training = new Graph();
    const logits = model(training.input("images", [24, 8, 8, 1]), { training: true });
    const { loss } = crossEntropyAndAccuracy(logits, training.input("labels", [24], "u32"));
    const updates = adam(gradients(loss), { learningRate: 0.02 });
    using step = await compile(gpu(), { outputs: { loss }, updates, variables });

    const use = new Graph();
    const shown = model(use.input("images", [24, 8, 8, 1]));
    const measured = crossEntropyAndAccuracy(shown, use.input("labels", [24], "u32"));
    using evaluation = await compile(gpu(), { outputs: { ...measured }, variables });

    const before = (await evaluation.run({ images, labels })).loss[0];
    for (let i = 0; i < 40; i++) await step.run({ images, labels });
    const after = await evaluation.run({ images, labels });
    expect(after.loss[0]).toBeLessThan(0.2 * before);
    expect(after.accuracy[0]).toBe(1);
    // The statistics have moved, and nothing moves in use.
    const moved = await variables.read("batch_normalization/moving_variance");
    expect(moved.some((value) => value !== 1)).toBe(true);
    await evaluation.run({ images, labels });
    expect(await variables.read("batch_normalization/moving_variance")).toEqual(moved);
    expect(await variables.read("dropout/step")).toEqual(Float32Array.of(40));
  });

  it.each([true, false])(
    "runs a batch norm and the activation behind it as one, training: %s",
    async (training) => {
      const { shape, data } = randomInput([3, 4, 4, 4], 1);
      const graph = new Graph();
      const x = graph.input("x", shape);
      const together = sequential([
        batchNormalization({ name: "a" }),
        activation("silu"),
        activation("tanh"),
      ]);
      const own = sequential([batchNormalization({ name: "b", activation: "swish" }), activation("tanh")]);
      const apart = activation("tanh")(
        activation("silu")(batchNormalization({ name: "c" })(x, { training })),
      );
      const outputs = { together: together(x, { training }), own: own(x, { training }), apart };
      using program = await compile(gpu(), { outputs });
      const y = await program.run({ x: data });
      expectClose(y.together, y.apart);
      expect(y.together).toEqual(y.own);
      const count = async (output: Tensor): Promise<number> => {
        using alone = await compile(gpu(), { outputs: { output }, fuse: false });
        return alone.summary.dispatches;
      };
      expect(await count(outputs.together)).toBe((await count(outputs.apart)) - 1);
    },
  );

  it("freezes layers: they are not learned, and a frozen batch norm keeps its statistics in training", async () => {
    const frozen = { trainable: false } as const;
    const model = sequential([dense(4, { ...frozen, group: "body" }), batchNormalization(frozen), dense(2)]);
    const graph = new Graph();
    const y = model(graph.input("x", [5, 3]), { training: true });
    expect(trainable(graph).map(({ name }) => name)).toEqual(["dense_1/kernel", "dense_1/bias"]);
    expect(graph.variables.get("dense/kernel")!.variable!.group).toBe("body");
    using variables = new Variables(gpu(), { seed: 1 });
    using program = await compile(gpu(), { outputs: { y }, variables });
    await program.run({ x: randomInput([5, 3], 1).data });
    expect(await variables.read("batch_normalization/moving_mean")).toEqual(new Float32Array(4));
  });
});

describe("dropout", () => {
  const gpu = useGpu();
  const x = new Float32Array(4000).fill(1);

  it("is nothing in use, and in training another mask each step and layer, kept up and in the gradient", async () => {
    const [first, second] = [dropout(0.25), dropout(0.25)];
    const use = new Graph();
    const input = use.input("x", [40, 100]);
    expect(first(input)).toBe(input);

    const graph = new Graph();
    const fed = graph.input("x", [40, 100]);
    const y = first(fed, { training: true });
    const other = second(fed, { training: true });
    const gradient = gradients(mean(y), [fed]).get(fed)!;
    using program = await compile(gpu(), { outputs: { y, other, gradient } });
    const runs = [await program.run({ x }), await program.run({ x })];
    for (const { y, gradient } of runs) {
      expect(count(y, 0) / 4000).toBeCloseTo(0.25, 1);
      expect(count(y, Math.fround(4 / 3))).toBe(4000 - count(y, 0));
      expectClose(
        gradient,
        y.map((value) => value / 4000),
      );
    }
    expect(runs[0].y).not.toEqual(runs[1].y);
    expect(runs[0].y).not.toEqual(runs[0].other);
  });

  it("takes the step it is given, and another seed gives another mask", async () => {
    const graph = new Graph();
    const fed = graph.input("x", [40, 100]);
    const step = graph.input("step", [], "u32");
    const y = dropout(0.5)(fed, { training: true, step });
    const other = dropout(0.5, { seed: 1, name: "dropout" })(new Graph().input("x", [40, 100]), {
      training: true,
    });
    expect(graph.variables.size).toBe(0);
    using program = await compile(gpu(), { outputs: { y } });
    const run = async (at: number): Promise<Float32Array> =>
      (await program.run({ x, step: Uint32Array.of(at) })).y;
    expect(await run(3)).toEqual(await run(3));
    expect(await run(3)).not.toEqual(await run(4));
    using seeded = await compile(gpu(), { outputs: { y: other } });
    expect((await seeded.run({ x })).y).not.toEqual(await run(0));
  });
});

describe("runCount", () => {
  const gpu = useGpu();

  it("counts the runs of programs that use it, whichever they are, and begins anew after 2²⁴ − 1", async () => {
    using variables = new Variables(gpu());
    const graph = new Graph();
    const run = runCount(graph, "runs");
    expect(runCount(graph, "runs")).toBe(run);
    const program = (outputs: Record<string, Tensor>): ReturnType<typeof compile> =>
      compile(gpu(), { outputs, variables });
    using counting = await program({ run });
    using idle = await program({ other: mean(graph.state("other", [2], () => new Float32Array(2))) });
    const next = async (): Promise<number> => (await counting.run({})).run[0];
    expect([await next(), await next()]).toEqual([0, 1]);
    await idle.run({});
    expect(await next()).toBe(2);
    variables.write("runs", Float32Array.of(2 ** 24 - 1));
    expect([await next(), await next()]).toEqual([2 ** 24 - 1, 0]);
  });
});
