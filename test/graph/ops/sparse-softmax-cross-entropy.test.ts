import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { sparseSoftmaxCrossEntropy } from "../../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { compile } from "../../../src/graph/compile.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { seededRandom } from "../../../src/graph/initializers.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { OpInput } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

function randomLabels(shape: Shape, classes: number, seed: number): OpInput & { data: Uint32Array } {
  const random = seededRandom(seed, "labels");
  const data = Uint32Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * classes));
  return { shape, data, dtype: "u32" };
}

/** Loss and gradient in double precision, straight from the definition; `losses` has one value a pixel. */
function exact(logits: Float32Array, labels: Uint32Array, classes: number) {
  const gradient = new Float64Array(logits.length);
  const losses = Array.from(labels, (label, pixel) => {
    const row = logits.subarray(pixel * classes, (pixel + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const total = row.reduce((sum, x) => sum + Math.exp(x - largest), 0);
    row.forEach((x, i) => {
      const probability = Math.exp(x - largest) / total;
      gradient[pixel * classes + i] = (probability - (i === label ? 1 : 0)) / labels.length;
    });
    return Math.log(total) + largest - row[label];
  });
  return { losses, loss: losses.reduce((a, b) => a + b) / losses.length, gradient };
}

const mean = (logits: Tensor, labels: Tensor): Tensor => sparseSoftmaxCrossEntropy(logits, labels);

describe("sparse softmax cross-entropy", () => {
  const gpu = useGpu();

  it("equals tfjs, loss and gradient", async () => {
    const extent = fc.integer({ min: 1, max: 9 });
    const cases = fc.record({
      outer: fc.oneof(fc.tuple(extent), fc.tuple(extent, extent), fc.tuple(extent, extent, extent)),
      classes: fc.constantFrom(2, 3, 4, 5, 8, 59, 64),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ outer, classes, seed }) => {
        const logits = randomInput([...outer, classes], seed);
        const labels = randomLabels(outer, classes, seed);
        const dy = Float32Array.of(1.5);
        const reference = tfjsReference(
          (x) => {
            const oneHot = tf.oneHot(tf.tensor1d(Int32Array.from(labels.data), "int32"), classes);
            return tf.losses.softmaxCrossEntropy(oneHot, tf.reshape(x, [-1, classes]));
          },
          [logits],
          dy,
        );
        const result = await runOp(gpu(), mean, [logits, labels], dy);
        // Next to 1, because a loss of almost nothing is a difference of numbers that are not.
        expectClose([result.y[0], 1], [reference.y[0], 1]);
        expect(result.gradients[1]).toBeNull();
        expectClose(result.gradients[0], reference.gradients[0]);
      }),
      compiledCases(20),
    );
  });

  it("is exact to 1e-6 over many pixels", async () => {
    const shape = [3, 40, 41, 59];
    const logits = randomInput(shape, 1);
    const labels = randomLabels(shape.slice(0, -1), 59, 2);
    const { loss, gradient } = exact(logits.data, labels.data, 59);
    const result = await runOp(gpu(), mean, [logits, labels], Float32Array.of(1));
    expect(Math.abs(result.y[0] - loss) / loss).toBeLessThan(1e-6);
    expectClose(result.gradients[0], gradient);
  });

  it("has the slope that finite differences see", async () => {
    const shape = [2, 3, 3, 7];
    const logits = randomInput(shape, 3);
    const labels = randomLabels(shape.slice(0, -1), 7, 4);
    const found = (await runOp(gpu(), mean, [logits, labels], Float32Array.of(1))).gradients[0]!;
    const graph = new Graph();
    const loss = mean(graph.input("logits", shape), graph.input("labels", labels.shape, "u32"));
    const program = await compile(gpu(), { outputs: { loss } });
    const at = async (i: number, step: number): Promise<number> => {
      const moved = logits.data.slice();
      moved[i] += step;
      return (await program.run({ logits: moved, labels: labels.data })).loss[0];
    };
    const step = 0.05;
    for (const i of [0, 5, 17, 60, 125]) {
      const slope = ((await at(i, step)) - (await at(i, -step))) / (2 * step);
      expect(Math.abs(slope - found[i])).toBeLessThan(2e-5);
    }
    program.destroy();
  });

  it("is nothing where there is one class", async () => {
    const labels = randomLabels([3], 1, 1);
    const result = await runOp(gpu(), mean, [randomInput([3, 1], 1), labels], Float32Array.of(1));
    expect(result.y).toEqual(Float32Array.of(0));
    expect(result.gradients[0]).toEqual(Float32Array.of(0, 0, 0));
  });

  it("stays finite and right with huge logits", async () => {
    const random = seededRandom(5, "huge");
    const data = Float32Array.from({ length: 64 * 5 }, () => Math.fround((random() * 2 - 1) * 1e4));
    data.set([1e4, -1e4, 1e4, -1e4, 9999.5]);
    const labels = randomLabels([64], 5, 6);
    const { loss, gradient } = exact(data, labels.data, 5);
    const result = await runOp(gpu(), mean, [{ shape: [64, 5], data }, labels], Float32Array.of(1));
    expectClose(result.y, [loss], 1e-6);
    expectClose(result.gradients[0], gradient);
  });

  it("counts a label beyond the classes as the last one and reads nothing out of bounds", async () => {
    const logits = randomInput([2, 5], 7);
    const run = (...data: number[]) =>
      runOp(
        gpu(),
        mean,
        [logits, { shape: [2], data: Uint32Array.from(data), dtype: "u32" }],
        Float32Array.of(1),
      );
    expect(await run(1, 2 ** 32 - 1)).toEqual(await run(1, 4));
  });

  it("gives one mean an image when asked to", async () => {
    const shape = [3, 9, 11, 5];
    const logits = randomInput(shape, 8);
    const labels = randomLabels(shape.slice(0, -1), 5, 9);
    const { losses } = exact(logits.data, labels.data, 5);
    const expected = [0, 1, 2].map((i) => losses.slice(99 * i, 99 * (i + 1)).reduce((a, b) => a + b) / 99);
    const graph = new Graph();
    const perImage = sparseSoftmaxCrossEntropy(
      graph.input("logits", shape),
      graph.input("labels", labels.shape, "u32"),
      { reduction: "per-image" },
    );
    expect(perImage.shape).toEqual([3]);
    const program = await compile(gpu(), { outputs: { perImage } });
    const result = await program.run({ logits: logits.data, labels: labels.data });
    program.destroy();
    expectClose(result.perImage, expected);
  });

  it("gives the same, bit by bit, again and in pieces along the batch", async () => {
    const shape = [70, 8, 8, 6];
    const inputs = [randomInput(shape, 10), randomLabels(shape.slice(0, -1), 6, 11)];
    const whole = await runOp(gpu(), mean, inputs, Float32Array.of(1));
    expect(await runOp(gpu(), mean, inputs, Float32Array.of(1))).toEqual(whole);
    const maxBindingBytes = 16 * 64 * 6 * 4;
    expect(await runOp(gpu(), mean, inputs, Float32Array.of(1), { maxBindingBytes })).toEqual(whole);
  });

  describe("with class weights", () => {
    /** The loss by Keras's definition: each pixel's times the weight of its label, then the mean over all pixels. */
    const weighted = (logits: Tensor, labels: Tensor, classWeights: Tensor): Tensor =>
      sparseSoftmaxCrossEntropy(logits, labels, { classWeights });
    const weightsOf = (classes: number, seed: number): OpInput & { data: Float32Array } => {
      const { shape, data } = randomInput([classes], seed);
      return { shape, data: data.map((value, i) => (i === 1 ? 0 : value * value)) };
    };

    it("equals tfjs, loss and gradient", async () => {
      const extent = fc.integer({ min: 1, max: 9 });
      const cases = fc.record({
        outer: fc.oneof(fc.tuple(extent), fc.tuple(extent, extent, extent)),
        classes: fc.constantFrom(2, 5, 8, 59),
        seed: fc.nat(1000),
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ outer, classes, seed }) => {
          const logits = randomInput([...outer, classes], seed);
          const labels = randomLabels(outer, classes, seed);
          const classWeights = weightsOf(classes, seed);
          const dy = Float32Array.of(1.5);
          const reference = tfjsReference(
            (x) => {
              const ids = tf.tensor1d(Int32Array.from(labels.data), "int32");
              const losses = tf.sum(
                tf.mul(tf.oneHot(ids, classes), tf.logSoftmax(tf.reshape(x, [-1, classes]))),
                1,
              );
              return tf.neg(tf.mean(tf.mul(losses, tf.gather(tf.tensor1d(classWeights.data), ids))));
            },
            [logits],
            dy,
          );
          const result = await runOp(gpu(), weighted, [logits, labels, classWeights], dy, { constants: 1 });
          expectClose([result.y[0], 1], [reference.y[0], 1]);
          expectClose(result.gradients[0], reference.gradients[0]);
        }),
        compiledCases(12),
      );
    });

    it("is the sum over the pixels of each class, an image at a time too, in pieces too", async () => {
      const shape = [70, 8, 8, 6];
      const logits = randomInput(shape, 8);
      const labels = randomLabels(shape.slice(0, -1), 6, 9);
      const { data: weights } = weightsOf(6, 10);
      const { losses } = exact(logits.data, labels.data, 6);
      const perPixel = losses.map((loss, pixel) => loss * weights[labels.data[pixel]]);
      const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
      const graph = new Graph();
      const tensors = [
        graph.input("logits", shape),
        graph.input("labels", labels.shape, "u32"),
        graph.input("weights", [6]),
      ] as const;
      const loss = weighted(...tensors);
      const outputs = {
        loss,
        gradient: gradients(loss, [tensors[0]]).get(tensors[0])!,
        perImage: sparseSoftmaxCrossEntropy(tensors[0], tensors[1], {
          reduction: "per-image",
          classWeights: tensors[2],
        }),
      };
      const run = async (maxBindingBytes?: number) => {
        const program = await compile(gpu(), { outputs, maxBindingBytes });
        const result = await program.run({ logits: logits.data, labels: labels.data, weights });
        program.destroy();
        return result;
      };
      const whole = await run();
      expectClose(whole.loss, [mean(perPixel)], 1e-6);
      expectClose(
        whole.perImage,
        Array.from({ length: 70 }, (_, i) => mean(perPixel.slice(64 * i, 64 * (i + 1)))),
      );
      expect(await run(16 * 64 * 6 * 4)).toEqual(whole);
    });

    it("has the slope that finite differences see", async () => {
      const shape = [2, 3, 3, 7];
      const logits = randomInput(shape, 3);
      const labels = randomLabels(shape.slice(0, -1), 7, 4);
      const weights = weightsOf(7, 5);
      const found = (
        await runOp(gpu(), weighted, [logits, labels, weights], Float32Array.of(1), { constants: 1 })
      ).gradients[0]!;
      const loss = (moved: Float32Array): number =>
        exact(moved, labels.data, 7).losses.reduce((sum, x, i) => sum + x * weights.data[labels.data[i]], 0) /
        18;
      const step = 2 ** -6;
      for (const i of [0, 5, 17, 60, 125]) {
        const [up, down] = [step, -step].map((by) => logits.data.map((x, at) => (at === i ? x + by : x)));
        expect(Math.abs((loss(up) - loss(down)) / (2 * step) - found[i])).toBeLessThan(1e-5);
      }
    });

    it("is the plain loss, bit by bit, where all weights are 1", async () => {
      const inputs = [randomInput([3, 5, 5, 6], 10), randomLabels([3, 5, 5], 6, 11)];
      const ones = { shape: [6], data: new Float32Array(6).fill(1) };
      const dy = Float32Array.of(1);
      const plain = await runOp(gpu(), mean, inputs, dy);
      const result = await runOp(gpu(), weighted, [...inputs, ones], dy, { constants: 1 });
      expect([result.y, result.gradients[0]]).toEqual([plain.y, plain.gradients[0]]);
    });

    it("says what does not fit", () => {
      const graph = new Graph();
      const [logits, labels] = [graph.input("logits", [2, 5]), graph.input("labels", [2], "u32")];
      expect(() => weighted(logits, labels, graph.input("four", [4]))).toThrow(
        'the class weights must be f32 [5]; "four" is f32 [4]',
      );
    });
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const logits = graph.input("logits", [2, 4, 4, 5]);
    expect(() => mean(logits, graph.input("a", [3, 4, 4], "u32"))).toThrow(
      'the logits "logits" [2, 4, 4, 5] take u32 labels [2, 4, 4]; "a" is u32 [3, 4, 4]',
    );
    expect(() => mean(logits, graph.input("b", [2, 4, 4]))).toThrow('"b" is f32 [2, 4, 4]');
    expect(() => mean(graph.input("c", [5]), graph.input("d", [], "u32"))).toThrow("[batch, .., channels]");
    const perImage = sparseSoftmaxCrossEntropy(logits, graph.input("e", [2, 4, 4], "u32"), {
      reduction: "per-image",
    });
    expect(() => gradients(perImage, [logits])).toThrow("must be a scalar");
  });
});
