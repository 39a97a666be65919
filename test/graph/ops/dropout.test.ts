import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { dropout } from "../../../src/graph/ops/dropout.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Program } from "../../../src/graph/program.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { dot } from "../../helpers/op.ts";
import { philox } from "../../helpers/philox.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

interface Case {
  readonly shape: Shape;
  readonly rate: number;
  readonly perPhoto?: boolean;
  readonly seed: number;
  readonly maxBindingBytes?: number;
}

describe("dropout", () => {
  const gpu = useGpu();

  /** Of `y = dropout(x)` and of the gradient of Σ y·dy by x. */
  async function program({ shape, maxBindingBytes, ...options }: Case): Promise<Program> {
    const graph = new Graph();
    const x = graph.input("x", shape);
    const y = dropout(x, { ...options, step: graph.input("step", [], "u32") });
    const dx = gradients(dot(y, graph.input("dy", shape)), [x]).get(x)!;
    return compile(gpu(), { outputs: { y, dx }, maxBindingBytes });
  }

  it.each<Case>([
    { shape: [5, 3, 4, 8], rate: 0.25, seed: 3 },
    { shape: [3, 5, 7], rate: 0.5, seed: 2 ** 32 - 1 },
    { shape: [7, 64], rate: 0.1, seed: 4, maxBindingBytes: 512 },
    { shape: [6, 3, 5, 4], rate: 0.4, seed: 5, perPhoto: true },
    { shape: [6, 8, 8, 1], rate: 0.4, seed: 6, perPhoto: true, maxBindingBytes: 512 },
  ])("of $shape drops what Philox says, and the same of its gradient: $seed", async (each) => {
    const { shape, rate, seed, perPhoto = false } = each;
    const [{ data: x }, { data: dy }] = [randomInput(shape, 1), randomInput(shape, 2)];
    const perItem = sizeOf(shape.slice(1));
    const running = await program(each);
    for (const step of [0, 7, 2 ** 32 - 1]) {
      const result = await running.run({ x, dy, step: Uint32Array.of(step) });
      const kept = Array.from(x, (_, i) => {
        const number = perPhoto ? Math.floor(i / perItem) : i;
        const words = philox([Math.floor(number / 4), step, 0, 0], [seed, 0]);
        return words[number % 4] >= Math.floor(rate * 2 ** 32);
      });
      const factor = Math.fround(1 / (1 - rate));
      const masked = (values: Float32Array): Float32Array =>
        values.map((value, i) => (kept[i] ? Math.fround(value * factor) : 0));
      expect(result.y).toEqual(masked(x));
      expect(result.dx).toEqual(masked(dy));
    }
    running.destroy();
  });

  it("drops at the rate, apart in each number, step, photo and layer", async () => {
    const [photos, count, rate] = [8, 4096, 0.3];
    const shape = [photos, count];
    const ones = new Float32Array(photos * count).fill(1);
    const masks: number[][] = [];
    for (const seed of [1, 2]) {
      const running = await program({ shape, rate, seed });
      for (const step of [0, 1, 2]) {
        const { y } = await running.run({ x: ones, dy: ones, step: Uint32Array.of(step) });
        for (let photo = 0; photo < photos; photo++)
          masks.push(
            Array.from(y.subarray(photo * count, (photo + 1) * count), (value) => Number(value === 0)),
          );
      }
      running.destroy();
    }
    /** In deviations of the mean of `n` draws of probability `p`. */
    const deviations = (mean: number, p: number, n: number): number =>
      Math.abs(mean - p) / Math.sqrt((p * (1 - p)) / n);
    const share = (mask: readonly number[]): number =>
      mask.reduce((sum, each) => sum + each, 0) / mask.length;
    expect(deviations(share(masks.flat()), rate, masks.length * count)).toBeLessThan(4);
    let worst = 0;
    masks.forEach((mask, i) => {
      worst = Math.max(worst, deviations(share(mask), rate, count));
      // Neighbouring numbers, and any two of the photos of all steps and layers: both dropped as often as apart.
      worst = Math.max(
        worst,
        deviations(share(mask.map((each, k) => each * mask[(k + 1) % count])), rate ** 2, count),
      );
      for (const other of masks.slice(0, i))
        worst = Math.max(worst, deviations(share(mask.map((each, k) => each * other[k])), rate ** 2, count));
    });
    // Of 1,224 draws the largest is below 5 but once in a thousand times.
    expect(worst).toBeLessThan(5);
  });

  it("of rate 0 is x itself, and refuses what is out of range", () => {
    const graph = new Graph();
    const [x, step] = [graph.input("x", [2, 3]), graph.input("step", [], "u32")];
    expect(dropout(x, { rate: 0, seed: 1, step })).toBe(x);
    expect(() => dropout(x, { rate: 1, seed: 1, step })).toThrow(
      "dropout takes a rate from 0 to below 1, not 1.",
    );
    expect(() => dropout(x, { rate: NaN, seed: 1, step })).toThrow(/not NaN/);
    expect(() => dropout(x, { rate: 0.5, seed: -1, step })).toThrow(/not -1/);
    expect(() => dropout(x, { rate: 0.5, seed: 1, step: x })).toThrow(
      'dropout: the step must be a u32 scalar; "x" is f32 [2, 3].',
    );
    expect(() => dropout(graph.input("v", [3]), { rate: 0.5, seed: 1, step })).toThrow(/takes a batch/);
  });
});
