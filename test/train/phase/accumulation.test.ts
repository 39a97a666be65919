import { describe, expect, it } from "vitest";
import { GeneratedDataset } from "../../../src/data/generated-dataset.ts";
import { assembleBatch, IGNORED_LABEL } from "../../../src/data/batch.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph, partValues } from "../../../src/graph/graph.ts";
import { glorotUniform, zeros } from "../../../src/graph/initializers.ts";
import { biasAdd } from "../../../src/graph/ops/bias.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import { sparseSoftmaxCrossEntropy } from "../../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import type { Goals } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Feeds, Program } from "../../../src/graph/program.ts";
import { Variables } from "../../../src/graph/variables.ts";
import type { VariableFilter } from "../../../src/graph/variables.ts";
import {
  accumulatedStep,
  microBatches,
  microBatchSize,
  sharesOf,
  throughAccumulators,
} from "../../../src/train/phase/accumulation.ts";
import { optimizerUpdates, trainingPass } from "../../../src/train/phase/programs.ts";
import type { Learning, StepSpec } from "../../../src/train/phase/programs.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const SIZE = 6;
const CLASSES = 5;
const SAME = { strides: 1, padding: "same" } as const;

const isAccumulator: VariableFilter = (_, group) => group === "accumulator";

/** Two convolutions without batch norm. */
function tinyPass(batch: number, ignores = false) {
  const graph = new Graph();
  const image = graph.input("image", [batch, SIZE, SIZE, 3]);
  const labels = graph.input("labels", [batch, SIZE, SIZE], "u32");
  const kernel = (name: string, shape: readonly number[]) => graph.parameter(name, shape, glorotUniform);
  const hidden = relu(
    biasAdd(conv2d(image, kernel("w1", [3, 3, 3, 8]), SAME), graph.parameter("b1", [8], zeros)),
  );
  const logits = biasAdd(
    conv2d(hidden, kernel("w2", [1, 1, 8, CLASSES]), SAME),
    graph.parameter("b2", [CLASSES], zeros),
  );
  const loss = sparseSoftmaxCrossEntropy(logits, labels, ignores ? { ignoreLabel: IGNORED_LABEL } : {});
  return { outputs: { loss }, slopes: gradients(loss) };
}

describe("microBatches", () => {
  it("cuts a batch into parts that look into it", () => {
    const images = Float32Array.from({ length: 5 * 12 }, (_, i) => i);
    const labels = Uint32Array.from({ length: 5 * 4 }, (_, i) => i);
    const parts = microBatches({ images, labels, count: 5 }, 2);
    expect(parts.map(({ count }) => count)).toEqual([2, 2, 1]);
    expect(parts.flatMap((part) => [...part.images])).toEqual([...images]);
    expect(parts.flatMap((part) => [...part.labels])).toEqual([...labels]);
    expect(parts[1].images.buffer).toBe(images.buffer);
  });
});

describe("sharesOf", () => {
  const images = new Float32Array();
  const parts = [
    { images, labels: Uint32Array.of(1, IGNORED_LABEL, 2, 0), count: 2 },
    { images, labels: Uint32Array.of(IGNORED_LABEL, 5), count: 1 },
    { images, labels: Uint32Array.of(IGNORED_LABEL, IGNORED_LABEL), count: 1 },
  ];

  it("are those of the pixels that count, or of the photos where all do", () => {
    expect(sharesOf(parts, true)).toEqual([0.75, 0.25, 0]);
    expect(sharesOf(parts, false)).toEqual([0.5, 0.25, 0.25]);
  });

  it("are 0 where no pixel counts", () => {
    expect(sharesOf(parts.slice(2), true)).toEqual([0]);
  });
});

describe("accumulated steps", () => {
  const gpu = useGpu();

  it.each([
    ["rmsprop", null, false, 1e-6],
    ["rmsprop", 0.05, false, 1e-6],
    ["rmsprop", 0.05, true, 1e-6],
    // Adam's first steps are as large for a gradient that is nearly zero, of which rounding is a greater part.
    ["adam", null, false, 2e-5],
  ] as const)(
    "equal those of the large batch (%s, clipped to %s, with pixels that do not count: %s)",
    async (...row) => {
      const [optimizer, clipNorm, ignores, limit] = row;
      const batch = 7;
      const learn = (slopes: Parameters<typeof optimizerUpdates>[0]): Learning =>
        optimizerUpdates(slopes, { optimizer, clipNorm }, "frozen");
      const programs: Program[] = [];
      const compiled = async (goals: Goals, variables: Variables): Promise<Program> => {
        programs.push(await compile(gpu(), { ...goals, variables }));
        return programs.at(-1)!;
      };
      const [once, parted] = [new Variables(gpu(), { seed: 5 }), new Variables(gpu(), { seed: 5 })];
      const { outputs, slopes } = tinyPass(batch, ignores);
      const learned = learn(slopes);
      const whole = await compiled({ ...learned, outputs: { ...outputs, ...learned.outputs } }, once);
      const step = (photos: number) => {
        const pass = tinyPass(photos, ignores);
        return throughAccumulators(pass.outputs, pass.slopes, learn);
      };
      const three = step(3);
      const gradient = await compiled(three.gradient, parted);
      const rest = await compiled(step(1).gradient, parted);
      const apply = await compiled(three.apply, parted);

      const learning_rate = Float32Array.of(0.01);
      for (let number = 0; number < 3; number++) {
        const images = randomInput([batch, SIZE, SIZE, 3], number).data as Float32Array<ArrayBuffer>;
        const labels = Uint32Array.from(
          { length: batch * SIZE * SIZE },
          (_, i) => (i * 7 + number) % CLASSES,
        );
        // No pixel of two micro-batches of three counts, then none of one, then some of each.
        if (ignores) labels.fill(IGNORED_LABEL, number, [6.5, 3.1, 2][number] * SIZE * SIZE);
        const large = await whole.run({ image: images, labels, learning_rate });
        let loss = 0;
        const parts = microBatches({ images, labels, count: batch }, 3);
        for (const [i, share] of sharesOf(parts, ignores).entries()) {
          const part = parts[i];
          const feeds: Feeds = { image: part.images, labels: part.labels, share: Float32Array.of(share) };
          loss += share * (await (part.count === 3 ? gradient : rest).run(feeds)).loss[0];
        }
        const applied = await apply.run({ learning_rate });
        expectClose([loss], large.loss, 1e-6);
        if (clipNorm !== null) {
          expect(large.gradient_norm[0]).toBeGreaterThan(clipNorm);
          expectClose(applied.gradient_norm, large.gradient_norm, 1e-6);
        }
      }
      for (const [name, { data }] of await once.readAll()) expectClose(await parted.read(name), data, limit);
      for (const [name, { data }] of await parted.readAll(isAccumulator))
        expect([name, data.every((value) => value === 0)]).toEqual([name, true]);
      expect([...parted.shapes(isAccumulator).keys()]).toHaveLength(4);
      for (const thing of [...programs, once, parted]) thing.destroy();
    },
  );

  it("of the U-Net add up its gradients, batch norms seeing the micro-batch", async () => {
    const spec: StepSpec = {
      ...{ batchSize: 4, imageSize: 32, classes: 59, momentum: 0.9 },
      ...{ optimizer: "rmsprop", clipNorm: null, weighted: false, accumulate: 2 },
    };
    expect(microBatchSize(spec)).toBe(2);
    // The same two photos twice: the statistics of a half are those of the whole.
    const dataset = new GeneratedDataset({ size: 2, imageSize: 32 });
    const batch = await assembleBatch(dataset, [0, 1, 0, 1]);
    const variables = new Variables(gpu(), { seed: 2 });
    const { outputs, gradients: slopes } = trainingPass(spec, "frozen");
    const named = [...slopes].map(([{ name }, slope]) => [name, slope] as const);
    const whole = await compile(gpu(), { outputs: { ...outputs, ...Object.fromEntries(named) }, variables });
    const expected = await whole.run({ image: batch.images, labels: batch.labels });
    whole.destroy();

    const { gradient, apply } = accumulatedStep({ ...spec, batchSize: 2 }, "frozen");
    const part = await compile(gpu(), { ...gradient, variables });
    let loss = 0;
    for (const { images, labels } of microBatches(batch, 2))
      loss += (await part.run({ image: images, labels, share: Float32Array.of(0.5) })).loss[0] / 2;
    part.destroy();
    expectClose([loss], expected.loss, 1e-6);
    const sums = await variables.readAll(isAccumulator);
    expect(sums.size).toBeGreaterThan(10);
    for (const parameter of slopes.keys()) {
      for (const { name, values } of partValues(parameter, expected[parameter.name] as Float32Array))
        expectClose(sums.get(`${name}/accumulated_gradient`)?.data, values, 1e-4);
    }

    const end = await compile(gpu(), { ...apply, variables });
    const before = await variables.read("head/kernel");
    await end.run({ learning_rate: Float32Array.of(1e-3) });
    expect(await variables.read("head/kernel")).not.toEqual(before);
    // No batch norm and no photo takes part in the end of a step.
    expect(end.plan.inputs.map(({ name }) => name)).toEqual(["learning_rate"]);
    expect(end.plan.variables.some(({ name }) => name.includes("moving"))).toBe(false);
    for (const thing of [end, variables]) thing.destroy();
  });
});
