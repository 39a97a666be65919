import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { clipByGlobalNorm } from "../../../src/graph/ops/clip-by-global-norm.ts";
import { globalNorm } from "../../../src/graph/ops/global-norm.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { LimitedGraph } from "../../helpers/limited-graph.ts";
import type { OpInput } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

type Gradients = readonly (OpInput & { data: Float32Array })[];

function build(shapes: readonly Shape[], clipNorm: number, graph = new Graph()) {
  const inputs = shapes.map((shape, i) => graph.input(`g${i}`, shape));
  const parameters = shapes.map((shape, i) => graph.parameter(`w${i}`, shape, () => new Float32Array(0)));
  const { gradients, norm } = clipByGlobalNorm(
    new Map(parameters.map((parameter, i) => [parameter, inputs[i]])),
    clipNorm,
  );
  const clipped = parameters.map((parameter, i) => [`y${i}`, gradients.get(parameter)!] as const);
  const outputs: Record<string, Tensor> = { norm, ...Object.fromEntries(clipped) };
  return { outputs };
}

/** tfjs has no such function: `tf.clip_by_global_norm` by its definition. */
function reference(gradients: Gradients, clipNorm: number): { norm: number; clipped: Float32Array[] } {
  const norm = Math.sqrt(gradients.reduce((sum, { data }) => data.reduce((s, x) => s + x * x, sum), 0));
  const clipped = gradients.map(({ data }) =>
    tf.tidy(() =>
      tf
        .mul(tf.tensor(data), clipNorm / Math.max(norm, clipNorm))
        .dataSync<"float32">()
        .slice(),
    ),
  );
  return { norm, clipped };
}

describe("clipping by the global norm", () => {
  const gpu = useGpu();

  async function clip(gradients: Gradients, clipNorm: number, maxBindingBytes?: number, graph?: Graph) {
    const shapes = gradients.map(({ shape }) => shape);
    const program = await compile(gpu(), { ...build(shapes, clipNorm, graph), maxBindingBytes });
    const feeds = Object.fromEntries(gradients.map(({ data }, i) => [`g${i}`, data]));
    const results = await program.run(feeds);
    program.destroy();
    return { norm: results.norm[0], clipped: gradients.map((_, i) => results[`y${i}`] as Float32Array) };
  }

  it("has the norm and the gradients of the definition, whatever the shapes", async () => {
    const extent = fc.integer({ min: 1, max: 20 });
    const shape = fc.oneof(fc.constant([]), fc.tuple(extent), fc.tuple(extent, extent, extent));
    const cases = fc.record({
      shapes: fc.array(shape, { minLength: 1, maxLength: 17 }),
      share: fc.double({ min: 0.01, max: 3, noNaN: true }),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ shapes, share, seed }) => {
        const gradients = shapes.map((shape, i) => randomInput(shape, seed + i));
        const clipNorm = Math.fround(reference(gradients, 1).norm * share);
        const expected = reference(gradients, clipNorm);
        const { norm, clipped } = await clip(gradients, clipNorm);
        expect(Math.abs(norm - expected.norm)).toBeLessThanOrEqual(1e-6 * expected.norm);
        clipped.forEach((values, i) => expectClose(values, expected.clipped[i], 2e-6));
      }),
      compiledCases(12),
    );
  });

  it("is exact to 1e-6 over many values, the same again and in pieces", async () => {
    const gradients = [randomInput([64, 900], 1), randomInput([59], 2), randomInput([128, 250], 3)];
    const expected = reference(gradients, 2.5);
    const whole = await clip(gradients, 2.5);
    expect(Math.abs(whole.norm - expected.norm) / expected.norm).toBeLessThan(1e-6);
    whole.clipped.forEach((values, i) => expectClose(values, expected.clipped[i], 2e-6));
    expect(await clip(gradients, 2.5)).toEqual(whole);
    const pieces = await clip(gradients, 2.5, 16 * 900 * 4);
    expect(Math.abs(pieces.norm - expected.norm) / expected.norm).toBeLessThan(1e-6);
    pieces.clipped.forEach((values, i) => expectClose(values, expected.clipped[i], 2e-6));
  });

  it("leaves gradients below the norm as they are, none at all too", async () => {
    const gradients = [randomInput([33], 1), randomInput([4, 4], 2)];
    const { norm, clipped } = await clip(gradients, 1000);
    expect(norm).toBeGreaterThan(1);
    expect(clipped).toEqual(gradients.map(({ data }) => data));
    const nothing = [{ shape: [5], data: new Float32Array(5) }];
    expect(await clip(nothing, 1)).toEqual({ norm: 0, clipped: [new Float32Array(5)] });
  });

  it.each([NaN, Infinity, -Infinity])("shows one %s in the norm and in every gradient", async (value) => {
    const gradients = Array.from({ length: 9 }, (_, i) => randomInput([300], i));
    gradients[4].data[217] = value;
    const { norm, clipped } = await clip(gradients, 1);
    expect(Number.isFinite(norm)).toBe(false);
    for (const values of clipped) expect(values.some((x) => Number.isFinite(x))).toBe(false);
  });

  it("gives the same bits however many tensors a dispatch takes", async () => {
    const gradients = Array.from({ length: 40 }, (_, i) =>
      randomInput([i % 3 === 0 ? 4 * i + 4 : 5 * i + 1], i),
    );
    const expected = await clip(gradients, 2);
    expect(expected.norm).toBeGreaterThan(2);
    for (const buffers of [3, 8])
      expect(await clip(gradients, 2, undefined, new LimitedGraph(buffers))).toEqual(expected);
  });

  it("takes few dispatches for many parameters", () => {
    const shapes = Array.from({ length: 364 }, (_, i) => (i % 3 === 0 ? [3, 3, 128, 32] : [128]));
    const planned = (maxStorageBuffers: number) => {
      const { dispatches } = plan(build([...shapes, [59]], 1), { ...paperTarget, maxStorageBuffers });
      const clips = dispatches.filter(({ node }) => node.op.name === "clip_by_global_norm");
      const norms = dispatches.filter(({ kernel }) => kernel.label.startsWith("sum_squares"));
      return [clips, norms].flatMap((some) => [
        some.length,
        new Set(some.map(({ kernel }) => kernel.wgsl)).size,
      ]);
    };
    // The clips: those of fours, all and the rest, and the one that is not.
    expect(planned(8)).toEqual([122 + 1, 3, 53, 2]);
    expect(planned(16)).toEqual([52 + 1, 2, 25, 2]);
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    expect(() => clipByGlobalNorm(new Map(), 1)).toThrow("globalNorm takes one tensor or more");
    const x = graph.input("x", [2]);
    expect(() => clipByGlobalNorm(new Map([[x, x]]), 0)).toThrow("takes a norm above 0, and 0 is not");
    expect(() => clipByGlobalNorm(new Map([[x, x]]), NaN)).toThrow("takes a norm above 0, and NaN is not");
    expect(() => globalNorm([graph.input("ids", [3], "u32")])).toThrow('takes f32; "ids" is u32 [3]');
  });
});
