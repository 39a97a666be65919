import { describe, expect, it } from "vitest";
import { moveMoments } from "../../src/kernels/move-moments.ts";
import type { MovedMoments } from "../../src/kernels/move-moments.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { expectClose } from "../helpers/close.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { rubbish } from "./conv2d/channel-embedding.ts";
import { numbers } from "./conv2d/reference.ts";

const gpu = useGpu();

describe("moveMoments", () => {
  const norm = (count: number, momentum: number | "pooled"): MovedMoments => ({ count, momentum });
  const KEPT = 0.25;
  it.each<[string, MovedMoments[]]>([
    ["one batch norm of odd channels", [norm(7, 0.9)]],
    ["two, each with a momentum of its own", [norm(70, 0.99), norm(3, 0.5)]],
    ["three, pooled with what was before", [norm(70, "pooled"), norm(3, "pooled"), norm(1, "pooled")]],
    ["four, one of a single channel", [norm(1, 0.9), norm(36, 0.9), norm(18, 0.75), norm(65, 0.99)]],
  ])("moves %s", async (_, all) => {
    const behind = 4;
    const buffers: Record<string, Float32Array> = {};
    if (all.some(({ momentum }) => momentum === "pooled")) buffers.momentum = Float32Array.of(KEPT);
    const expected: Record<string, number[]> = {};
    const meansApart = (i: number) => (c: number) => buffers[`mean${i}`][c] - buffers[`movingMean${i}`][c];
    all.forEach(({ count, momentum }, i) => {
      const kept = momentum === "pooled" ? KEPT : momentum;
      for (const [j, [from, to]] of [
        [`mean${i}`, `movingMean${i}`],
        [`variance${i}`, `movingVariance${i}`],
      ].entries()) {
        const fresh = numbers(count, 10 * i + j);
        const old = numbers(count, 100 + 10 * i + j);
        buffers[from] = fresh;
        buffers[to] = Float32Array.from([...old, ...rubbish(behind)]);
        const apart = j === 1 && momentum === "pooled" ? meansApart(i) : () => 0;
        expected[to] = Array.from(
          fresh,
          (value, c) => old[c] * kept + value * (1 - kept) + kept * (1 - kept) * apart(c) ** 2,
        );
      }
    });
    const kernel = moveMoments(kernelTarget(gpu()), all);
    const results = await runKernels(gpu(), [kernel], buffers, Object.keys(expected));
    for (const [name, values] of Object.entries(expected)) {
      expectClose(results[name].slice(0, values.length), values, 1e-6, name);
      expect(results[name].slice(values.length)).toEqual(rubbish(behind));
    }
  });

  it("leaves the statistics of a channel that overflows in a batch", async () => {
    const buffers = {
      mean0: Float32Array.of(1, NaN, 1, Infinity, -Infinity),
      variance0: Float32Array.of(1, 1, NaN, Infinity, 1),
      movingMean0: new Float32Array(5).fill(3),
      movingVariance0: new Float32Array(5).fill(5),
    };
    const kernel = moveMoments(kernelTarget(gpu()), [norm(5, 0.5)]);
    const results = await runKernels(gpu(), [kernel], buffers, ["movingMean0", "movingVariance0"]);
    expect([...results.movingMean0]).toEqual([2, 3, 3, 3, 3]);
    expect([...results.movingVariance0]).toEqual([3, 5, 5, 5, 5]);
  });
});
