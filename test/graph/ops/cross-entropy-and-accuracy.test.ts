import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { crossEntropyAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { Plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { CompileOptions } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";
import { expectLoss, expectLossOfKernels, lossCase, mean, runLoss } from "./loss-cases.ts";
import type { Apply, Definition } from "./loss-cases.ts";

const labelsFor = (outer: Shape, classes: number, seed: number): Uint32Array =>
  Uint32Array.from(randomInput(outer, seed).data, (value) => Math.floor(Math.abs(value) * 1e4) % classes);

describe("crossEntropyAndAccuracy", () => {
  const gpu = useGpu();

  interface Case {
    readonly shape: Shape;
    readonly logits: Float32Array;
    readonly labels: Uint32Array;
    readonly classWeights?: Float32Array;
    readonly ignoreLabel?: number;
    /** What the loss is multiplied by before it is differentiated. */
    readonly lossScale?: number;
  }

  /** Loss, accuracy and the gradient by the logits, all of one program. */
  async function run(
    { shape, logits, labels, classWeights, ignoreLabel, lossScale }: Case,
    options: Partial<CompileOptions> = {},
  ) {
    const graph = new Graph();
    const x = graph.input("logits", shape);
    const weights = classWeights && graph.input("class_weights", [classWeights.length]);
    const truth = graph.input("labels", shape.slice(0, -1), "u32");
    const { loss, accuracy } = crossEntropyAndAccuracy(x, truth, { classWeights: weights, ignoreLabel });
    const scaled = lossScale === undefined ? loss : scale(loss, graph.input("loss_scale", []));
    const outputs = { loss, accuracy, gradient: gradients(scaled, [x]).get(x)! };
    const program = await compile(gpu(), { outputs, ...options });
    try {
      const result = await program.run({
        logits,
        labels,
        ...(classWeights && { class_weights: classWeights }),
        ...(lossScale !== undefined && { loss_scale: Float32Array.of(lossScale) }),
      });
      const { loss, accuracy, gradient } = result as Record<string, Float32Array>;
      return { loss, accuracy, gradient, ops: program.plan.dispatches.map(({ kernel }) => kernel.label) };
    } finally {
      program.destroy();
    }
  }

  /** Of those pixels that count, laid out anew; what does not count has no gradient. */
  function tfjs({ ignoreLabel, ...all }: Case): ReturnType<typeof tfjsOfAll> {
    const classes = all.shape[all.shape.length - 1];
    const pixels = Array.from(all.labels.keys()).filter((i) => all.labels[i] !== ignoreLabel);
    const gradient = new Float32Array(all.logits.length);
    if (pixels.length === 0) return { loss: Float32Array.of(0), accuracy: Float32Array.of(0), gradient };
    const row = (values: Float32Array, i: number) => values.subarray(i * classes, (i + 1) * classes);
    const logits = Float32Array.from(pixels.flatMap((i) => [...row(all.logits, i)]));
    const labels = Uint32Array.from(pixels, (i) => all.labels[i]);
    const kept = tfjsOfAll({ ...all, shape: [pixels.length, classes], logits, labels });
    pixels.forEach((i, at) => gradient.set(row(kept.gradient, at), i * classes));
    return { ...kept, gradient };
  }

  function tfjsOfAll({ shape, logits, labels, classWeights, lossScale = 1 }: Case) {
    const classes = shape[shape.length - 1];
    const ids = tf.tensor1d(Int32Array.from(labels), "int32");
    const weights = tf.gather(tf.tensor1d(classWeights ?? new Float32Array(classes).fill(1)), ids);
    const meanLoss = (x: tf.Tensor): tf.Tensor => {
      const logSoftmax = tf.logSoftmax(tf.reshape(x, [-1, classes]));
      return tf.neg(tf.mean(tf.mul(tf.sum(tf.mul(tf.oneHot(ids, classes), logSoftmax), 1), weights)));
    };
    const { y, gradients } = tfjsReference(meanLoss, [{ shape, data: logits }], Float32Array.of(lossScale));
    const found = tf.argMax(tf.tensor2d(logits, [labels.length, classes]), 1);
    const hits = tf.mean(tf.cast(tf.equal(found, ids), "float32")).dataSync<"float32">();
    return { loss: y, gradient: gradients[0], accuracy: hits };
  }

  it("equals tfjs: loss, gradient and accuracy, with weights and a scaled loss or without", async () => {
    const extent = fc.integer({ min: 1, max: 9 });
    const cases = fc.record({
      outer: fc.oneof(fc.tuple(extent), fc.tuple(extent, extent), fc.tuple(extent, extent, extent)),
      classes: fc.constantFrom(2, 3, 5, 17, 59, 64),
      seed: fc.nat(1000),
      levels: fc.constantFrom(0, 3),
      weighted: fc.boolean(),
      lossScale: fc.constantFrom(undefined, 1, 1024),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ outer, classes, seed, levels, weighted, lossScale }) => {
        const shape = [...outer, classes];
        const data: Case = {
          shape,
          logits: randomInput(shape, seed, { levels }).data,
          labels: labelsFor(outer, classes, seed),
          ...(weighted && { classWeights: randomInput([classes], seed).data.map((value) => value * value) }),
          lossScale,
        };
        const expected = tfjs(data);
        const result = await run(data);
        expectClose([result.loss[0], 1], [expected.loss[0], 1]);
        expectClose([result.accuracy[0], 1], [expected.accuracy[0], 1], 1e-6);
        expectClose(result.gradient, expected.gradient);
      }),
      compiledCases(20),
    );
  });

  it("counts no pixel of the label to ignore, be it a class or none", async () => {
    const cases = fc.record({
      outer: fc.constantFrom([1], [7], [4, 3, 5]),
      classes: fc.constantFrom(2, 5, 59),
      seed: fc.nat(1000),
      ignored: fc.constantFrom("first class", "last class", "none", "all"),
      weighted: fc.boolean(),
      lossScale: fc.constantFrom(undefined, 1024),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ outer, classes, seed, ignored, weighted, lossScale }) => {
        const shape = [...outer, classes];
        const ignoreLabel = { "first class": 0, "last class": classes - 1 }[ignored as string] ?? 0xffffffff;
        const mark = (label: number, i: number): number =>
          ignored === "all" || (ignored === "none" && (i + seed) % 3 === 0) ? ignoreLabel : label;
        const data: Case = {
          shape,
          logits: randomInput(shape, seed).data,
          labels: labelsFor(outer, classes, seed).map(mark),
          ignoreLabel,
          ...(weighted && { classWeights: randomInput([classes], seed).data.map((value) => value * value) }),
          ...(lossScale !== undefined && { lossScale }),
        };
        const expected = tfjs(data);
        const result = await run(data);
        expectClose([result.loss[0], 1], [expected.loss[0], 1]);
        expectClose([result.accuracy[0], 1], [expected.accuracy[0], 1], 1e-6);
        expectClose(result.gradient, expected.gradient);
        if (ignored === "all") {
          const { loss, accuracy, gradient } = result;
          expect([...loss, ...accuracy, ...gradient].every((value) => Object.is(value, 0))).toBe(true);
        }
      }),
      compiledCases(16),
    );
  });

  const photos: Case = {
    shape: [70, 8, 8, 6],
    logits: randomInput([70, 8, 8, 6], 1).data,
    labels: labelsFor([70, 8, 8], 6, 2),
    classWeights: Float32Array.of(1, 2, 0, 0.5, 3, 1),
  };

  it("gives the same, bit by bit, in pieces along the batch and where the loss is scaled by 2", async () => {
    const whole = await run(photos);
    const { ops, ...pieces } = await run(photos, { maxBindingBytes: 16 * 64 * 6 * 4 });
    expect(pieces).toEqual({ loss: whole.loss, accuracy: whole.accuracy, gradient: whole.gradient });
    expect(ops.filter((label) => label.startsWith("softmax"))).toHaveLength(5);
    const doubled = await run({ ...photos, lossScale: 2 });
    expect(doubled.gradient).toEqual(whole.gradient.map((value) => 2 * value));
  });

  it("gives the same, bit by bit, in pieces where some pixels do not count", async () => {
    const some = { ...photos, ignoreLabel: 5 };
    const whole = await run(some);
    const { ops, ...pieces } = await run(some, { maxBindingBytes: 16 * 64 * 6 * 4 });
    expect(pieces).toEqual({ loss: whole.loss, accuracy: whole.accuracy, gradient: whole.gradient });
    expect(ops.filter((label) => label.startsWith("softmax"))).toHaveLength(5);
    // Where all count, it is the mean of old.
    const all = await run({ ...photos, ignoreLabel: 0xffffffff });
    const plain = await run(photos);
    expectClose([...all.loss, ...all.accuracy], [...plain.loss, ...plain.accuracy], 1e-6);
    expectClose(all.gradient, plain.gradient, 1e-6);
  });

  describe("with label smoothing", () => {
    const labelSmoothing = 0.2;
    const apply: Apply = (logits, labels, options) =>
      crossEntropyAndAccuracy(logits, labels, { labelSmoothing, ...options });
    /** Keras's `label_smoothing`: y · (1 − s) + s / classes. */
    const define: Definition = (pixels, classes, { classWeights }) =>
      mean(
        pixels.map(({ probabilities, label }) => {
          const terms = Array.from(probabilities, (p, c) => {
            const truth = (c === label ? 1 : 0) * (1 - labelSmoothing) + labelSmoothing / classes;
            return -truth * Math.log(p);
          });
          return terms.reduce((a, b) => a + b) * (classWeights?.[label] ?? 1);
        }),
      );

    it("is Keras's, loss and gradient, in all families of kernels", async () => {
      for (const classes of [2, 20])
        await expectLossOfKernels(gpu(), apply, define, lossCase([2, 3, 3, classes], 1, { ignored: "some" }));
    });

    it("weighs classes and is multiplied before it is rounded, in half precision too", async () => {
      const data = {
        ...lossCase([3, 4, 5], 4, { ignored: "some" }),
        classWeights: Float32Array.of(1, 0, 2, 0.5, 3),
        lossScale: 1024,
      };
      await expectLoss(gpu(), apply, define, data);
      await expectLoss(gpu(), apply, define, { ...data, precision: "f16" }, {}, 3e-3);
    });

    it("is the plain cross-entropy, bit by bit, where it is 0, and says what it may be", async () => {
      const data = lossCase([2, 5, 3, 7], 1);
      const plain = await runLoss(gpu(), crossEntropyAndAccuracy, data);
      const zero: Apply = (logits, labels) => crossEntropyAndAccuracy(logits, labels, { labelSmoothing: 0 });
      expect(await runLoss(gpu(), zero, data)).toMatchObject(plain);
      const graph = new Graph();
      const tensors = [graph.input("logits", [2, 5]), graph.input("labels", [2], "u32")] as const;
      expect(() => crossEntropyAndAccuracy(...tensors, { labelSmoothing: 1 })).toThrow(
        "crossEntropyAndAccuracy: the label smoothing must be at least 0 and below 1, not 1.",
      );
    });
  });

  it("reads the logits once for loss, accuracy and gradient, and twice where the loss is scaled", async () => {
    const kinds = ({ ops }: Awaited<ReturnType<typeof run>>): string[] =>
      ops.filter((label) => label.startsWith("softmax"));
    expect(kinds(await run(photos))).toEqual(["softmax_cross_entropy_with_gradient"]);
    expect(kinds(await run({ ...photos, lossScale: 1 }))).toEqual([
      "softmax_cross_entropy",
      "softmax_cross_entropy_with_gradient",
    ]);
  });

  it("gives one mean an image when asked to", async () => {
    const graph = new Graph();
    const [shape, pixels] = [[3, 5, 7, 6], 35];
    const logits = randomInput(shape, 4).data;
    const labels = labelsFor([3, 5, 7], 6, 5);
    const outputs = crossEntropyAndAccuracy(
      graph.input("logits", shape),
      graph.input("labels", [3, 5, 7], "u32"),
      { reduction: "per-image" },
    );
    const program = await compile(gpu(), { outputs: { ...outputs } });
    const { loss, accuracy } = await program.run({ logits, labels });
    program.destroy();
    const images = [0, 1, 2].map((i) =>
      tfjs({
        shape: [5, 7, 6],
        logits: logits.subarray(i * pixels * 6, (i + 1) * pixels * 6),
        labels: labels.subarray(i * pixels, (i + 1) * pixels),
      }),
    );
    expectClose(
      loss,
      images.map(({ loss }) => loss[0]),
    );
    expectClose(
      accuracy,
      images.map(({ accuracy }) => accuracy[0]),
      1e-6,
    );
  });

  it("gives the mean of each image's pixels that count, 0 where an image has none", async () => {
    const graph = new Graph();
    const [shape, pixels] = [[70, 4, 4, 6], 16];
    const logits = randomInput(shape, 4).data;
    const labels = labelsFor([70, 4, 4], 6, 5).map((label, i) => (label === 2 || i < 2 * pixels ? 7 : label));
    const outputs = crossEntropyAndAccuracy(
      graph.input("logits", shape),
      graph.input("labels", [70, 4, 4], "u32"),
      { reduction: "per-image", ignoreLabel: 7 },
    );
    const images = Array.from({ length: 70 }, (_, i) =>
      tfjs({
        shape: [4, 4, 6],
        logits: logits.subarray(i * pixels * 6, (i + 1) * pixels * 6),
        labels: labels.subarray(i * pixels, (i + 1) * pixels),
        ignoreLabel: 7,
      }),
    );
    for (const maxBindingBytes of [undefined, 16 * 16 * 6 * 4]) {
      const program = await compile(gpu(), { outputs: { ...outputs }, maxBindingBytes });
      const { loss, accuracy } = await program.run({ logits, labels });
      program.destroy();
      expectClose(
        loss,
        images.map(({ loss }) => loss[0]),
      );
      expectClose(
        accuracy,
        images.map(({ accuracy }) => accuracy[0]),
        1e-6,
      );
      expect([...loss.subarray(0, 2), ...accuracy.subarray(0, 2)]).toEqual([0, 0, 0, 0]);
    }
  });

  it("gives the same where it writes the gradient over the logits", async () => {
    const { shape, logits, labels } = photos;
    const graph = new Graph();
    const x = graph.input("logits", shape);
    const { loss } = crossEntropyAndAccuracy(scale(x, 1), graph.input("labels", shape.slice(0, -1), "u32"));
    const gradient = gradients(loss, [x]).get(x)!;
    const results = [];
    // Whole and in pieces; where the logits are asked for as well, they may not be written over.
    for (const maxBindingBytes of [undefined, 16 * 64 * 6 * 4]) {
      for (const kept of [false, true]) {
        const outputs = { loss, gradient, ...(kept && { logits: loss.node!.inputs[0] }) };
        const program = await compile(gpu(), { outputs, maxBindingBytes });
        const { length } = program.plan.blocks.filter((bytes) => bytes >= logits.byteLength);
        expect(length).toBe(kept ? 3 : 2);
        const result = await program.run({ logits, labels });
        program.destroy();
        results.push([result.loss, result.gradient]);
      }
    }
    const { loss: expectedLoss, gradient: expected } = await run({ shape, logits, labels });
    for (const result of results) expect(result).toEqual([expectedLoss, expected]);
  });

  describe("what a program holds", () => {
    const BYTES = 4 * 4 * 16 * 16 * 59;
    const build = (
      outputs: (net: { x: Tensor; loss: Tensor; accuracy: Tensor }) => Record<string, Tensor>,
    ): Plan => {
      const graph = new Graph();
      const x = graph.input("x", [4, 16, 16, 59]);
      const { loss, accuracy } = crossEntropyAndAccuracy(relu(x), graph.input("labels", [4, 16, 16], "u32"));
      return plan({ outputs: outputs({ x, loss, accuracy }) }, paperTarget);
    };
    const large = ({ blocks }: Plan): number => blocks.filter((bytes) => bytes >= BYTES).length;
    const written = ({ dispatches }: Plan): string[] =>
      dispatches
        .filter(({ kernel }) => kernel.label.startsWith("softmax"))
        .flatMap(({ kernel }) => kernel.bindings.filter(({ access }) => access === "read_write"))
        .map(({ name }) => name);

    it("has no gradient in evaluation, only the logits", () => {
      const evaluation = build(({ loss, accuracy }) => ({ loss, accuracy }));
      expect(written(evaluation)).toEqual(["losses", "correct"]);
      expect(large(evaluation)).toBe(1);
    });

    it("is only what somebody reads", () => {
      expect(written(build(({ loss }) => ({ loss })))).toEqual(["losses"]);
      expect(written(build(({ accuracy }) => ({ accuracy })))).toEqual(["correct"]);
      const training = build(({ x, loss }) => ({ loss, gradient: gradients(loss, [x]).get(x)! }));
      expect(written(training)).toEqual(["losses", "dlogits"]);
      const silent = build(({ x, loss }) => ({ gradient: gradients(loss, [x]).get(x)! }));
      expect(written(silent)).toEqual(["dlogits"]);
    });
  });

  it("says what has no gradient and what does not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3, 5]);
    const labels = graph.input("labels", [2, 3], "u32");
    const { loss, accuracy } = crossEntropyAndAccuracy(x, labels);
    expect(() => gradients(accuracy, [x])).toThrow("only the cross-entropy has a gradient");
    expect(() => gradients(add(loss, accuracy), [x])).toThrow("only the cross-entropy has a gradient");
    expect(() => crossEntropyAndAccuracy(x, graph.input("short", [2], "u32"))).toThrow(
      'crossEntropyAndAccuracy: the logits "x" [2, 3, 5] take u32 labels [2, 3]; "short" is u32 [2].',
    );
    expect(() => crossEntropyAndAccuracy(x, labels, { ignoreLabel: -1 })).toThrow(
      "The label to ignore must be a whole number from 0 to 4294967295, not -1.",
    );
    expect(() => crossEntropyAndAccuracy(x, labels, { classWeights: graph.input("four", [4]) })).toThrow(
      'crossEntropyAndAccuracy: the class weights must be f32 [5]; "four" is f32 [4].',
    );
  });
});
