import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { confusionMatrix } from "../../../src/graph/ops/confusion-matrix.ts";
import type { ConfusionMatrixOptions } from "../../../src/graph/ops/confusion-matrix.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { CompileOptions } from "../../../src/graph/compile.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { ConfusionMatrix } from "../../../src/runs/metrics.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const IGNORED = 0xffffffff;

type Kernels = Pick<CompileOptions, "family" | "maxBindingBytes">;

/** Pixels in runs, as photos have them, and single ones; `wild` of them, in 256, have a label that is no class. */
function pixels(shape: Shape, classes: number, seed: number, wild = 0) {
  const random = randomInput([2 * sizeOf(shape)], seed).data;
  const number = (i: number): number => Math.floor(Math.abs(random[i]) * 1e6);
  const labels = new Uint32Array(sizeOf(shape));
  const predictions = new Uint32Array(sizeOf(shape));
  for (let i = 0; i < labels.length; i++) {
    const kept = i > 0 && number(2 * i) % 4 !== 0;
    labels[i] = kept ? labels[i - 1] : number(2 * i + 1) % classes;
    if (number(2 * i + 1) % 256 < wild) labels[i] = i % 2 === 0 ? IGNORED : classes;
    predictions[i] = kept ? predictions[i - 1] : number(2 * i) % classes;
  }
  return { labels, predictions };
}

/** The host's counts of the pixels whose label is a class and not to be ignored. */
function onHost(labels: Uint32Array, predictions: Uint32Array, options: ConfusionMatrixOptions): number[] {
  const { classes, ignoreLabel } = options;
  const counted = [...labels.keys()].filter((i) => labels[i] < classes && labels[i] !== ignoreLabel);
  const matrix = new ConfusionMatrix(classes);
  matrix.add(
    Uint32Array.from(counted, (i) => labels[i]),
    Uint32Array.from(counted, (i) => predictions[i]),
  );
  return [...matrix.counts];
}

describe("confusionMatrix", () => {
  const gpu = useGpu();

  /** The counts of a program's second run, which must not remember the first. */
  async function run(
    shape: Shape,
    feeds: { labels: Uint32Array; predictions: Uint32Array },
    options: ConfusionMatrixOptions,
    kernels: Kernels = {},
  ): Promise<number[]> {
    const graph = new Graph();
    const labels = graph.input("labels", shape, "u32");
    const counts = confusionMatrix(labels, graph.input("predictions", shape, "u32"), options);
    const program = await compile(gpu(), { outputs: { counts }, ...kernels });
    try {
      await program.run(feeds);
      return [...(await program.run(feeds)).counts];
    } finally {
      program.destroy();
    }
  }

  it("equals the host's, whatever the shape, whichever labels are ignored", async () => {
    const extent = fc.integer({ min: 1, max: 40 });
    const shapes = fc.oneof(fc.tuple(extent), fc.tuple(extent, extent, extent));
    const cases = [shapes, fc.integer({ min: 1, max: 256 }), fc.boolean(), fc.nat(1000)] as const;
    await fc.assert(
      fc.asyncProperty(...cases, async (shape, classes, some, seed) => {
        const feeds = pixels(shape, classes, seed, some ? 60 : 0);
        const options = { classes, ...(some && { ignoreLabel: seed % 2 === 0 ? IGNORED : 0 }) };
        const expected = onHost(feeds.labels, feeds.predictions, options);
        expect(await run(shape, feeds, options, { family: "register" })).toEqual(expected);
      }),
      compiledCases(40),
    );
  });

  // 256 classes do not fit into a workgroup's memory.
  it.each([2, 59, 256])("equals the host's in workgroups, %d classes", async (classes) => {
    const shape = [3, 67, 101];
    const feeds = pixels(shape, classes, 7, 30);
    const options = { classes, ignoreLabel: IGNORED };
    const expected = onHost(feeds.labels, feeds.predictions, options);
    expect(await run(shape, feeds, options, { family: "workgroup" })).toEqual(expected);
    expect(await run(shape, feeds, options, { family: "register" })).toEqual(expected);
  });

  it("ignores exactly one label, which may be a class", async () => {
    const feeds = { labels: Uint32Array.of(0, 1, 2, 1), predictions: Uint32Array.of(1, 1, 0, 2) };
    for (const family of ["register", "workgroup"] as const) {
      const counts = await run([4], feeds, { classes: 3, ignoreLabel: 1 }, { family });
      expect(counts).toEqual([0, 1, 0, 0, 0, 0, 1, 0, 0]);
    }
  });

  it("is all zeros where every pixel is ignored", async () => {
    const labels = new Uint32Array(2 * 5 * 5).fill(IGNORED);
    const feeds = { labels, predictions: new Uint32Array(50).fill(1) };
    for (const family of ["register", "workgroup"] as const) {
      const counts = await run([2, 5, 5], feeds, { classes: 2, ignoreLabel: IGNORED }, { family });
      expect(counts).toEqual([0, 0, 0, 0]);
    }
  });

  it("counts no pixel whose label or prediction is no class, and writes nowhere else", async () => {
    // All of one truth: what a prediction of 7 would be counted as is the first class of the next row.
    const feeds = { labels: new Uint32Array(100).fill(1), predictions: new Uint32Array(100).fill(7) };
    feeds.predictions.fill(6, 90);
    feeds.labels.fill(7, 95);
    for (const family of ["register", "workgroup"] as const) {
      const counts = await run([100], feeds, { classes: 7 }, { family });
      expect(counts.reduce((a, b) => a + b)).toBe(5);
      expect(counts[1 * 7 + 6]).toBe(5);
    }
  });

  it("gives the same in pieces along the batch", async () => {
    const shape = [9, 16, 16];
    const feeds = pixels(shape, 12, 3);
    const expected = onHost(feeds.labels, feeds.predictions, { classes: 12 });
    for (const family of ["register", "workgroup"] as const)
      expect(await run(shape, feeds, { classes: 12 }, { family, maxBindingBytes: 2048 })).toEqual(expected);
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const labels = graph.input("labels", [2, 3], "u32");
    const options = { classes: 5 };
    expect(() => confusionMatrix(labels, graph.input("short", [2], "u32"), options)).toThrow(
      'confusionMatrix takes labels and predictions u32 [batch, ..] of one shape: "labels" is u32 [2, 3] and "short" is u32 [2].',
    );
    expect(() => confusionMatrix(labels, graph.input("floats", [2, 3]), options)).toThrow('"floats" is f32');
    expect(() => confusionMatrix(labels, labels, { classes: 1.5 })).toThrow("not 1.5");
  });
});
