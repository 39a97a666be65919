import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KernelTarget } from "../../src/kernels/kernel.ts";
import { rowLanes } from "../../src/kernels/text/row-lanes.ts";
import { softmaxCrossEntropy } from "../../src/kernels/softmax-cross-entropy.ts";
import type { CrossEntropyParts } from "../../src/kernels/softmax-cross-entropy.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { expectClose } from "../helpers/close.ts";
import { compiledCases } from "../helpers/compiled-cases.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { compileQuickly } from "../helpers/quick-compiler.ts";
import { paperTarget } from "../helpers/target.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";

compileQuickly({ wide: true });

/** What the kernel should give, in double precision, straight from the definition. */
function reference(
  logits: Float32Array,
  labels: Uint32Array,
  classes: number,
  { weights, ignoreLabel }: { weights?: Float32Array | undefined; ignoreLabel?: number | undefined },
) {
  const dlogits = new Float64Array(logits.length);
  const losses: number[] = [];
  const correct: number[] = [];
  labels.forEach((raw, pixel) => {
    if (raw === ignoreLabel) {
      losses.push(0);
      correct.push(0);
      return;
    }
    const label = Math.min(raw, classes - 1);
    const row = logits.subarray(pixel * classes, (pixel + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const total = row.reduce((sum, x) => sum + Math.exp(x - largest), 0);
    const weight = weights?.[label] ?? 1;
    losses.push((Math.log(total) + largest - row[label]) * weight);
    correct.push(row.indexOf(largest) === raw ? 1 : 0);
    row.forEach((x, i) => {
      dlogits[pixel * classes + i] = (Math.exp(x - largest) / total - (i === label ? 1 : 0)) * weight;
    });
  });
  return { losses, correct, dlogits };
}

describe("softmaxCrossEntropy", () => {
  const gpu = useGpu();
  const variants = (["register", "workgroup"] as const).flatMap((family) =>
    [undefined, 4, 0].map((subgroupSize) => ({ family, subgroupSize })),
  );

  async function check(
    target: KernelTarget,
    { pixels, classes, seed, levels = 0 }: { pixels: number; classes: number; seed: number; levels?: number },
    parts: CrossEntropyParts,
  ): Promise<void> {
    const logits = randomInput([pixels, classes], seed, { levels }).data.map((value) => 3 * value);
    // Now and then a label that is no class.
    const labels = Uint32Array.from({ length: pixels }, (_, i) => (i * 7 + seed) % (classes + 1));
    const classWeights = randomInput([classes], seed).data.map((value) => value * value);
    const { ignoreLabel } = parts;
    const expected = reference(logits, labels, classes, {
      weights: parts.weighted ? classWeights : undefined,
      ignoreLabel,
    });
    // Whatever they are.
    labels.forEach((label, i) => label === ignoreLabel && logits.fill(NaN, i * classes, (i + 1) * classes));
    const counts = Float32Array.of(ignoreLabel === undefined ? NaN : 3);
    const kernel = softmaxCrossEntropy(target, pixels, classes, parts);
    const written = kernel.bindings.filter(({ access }) => access === "read_write").map(({ name }) => name);
    const dlogits = parts.inPlace ? logits : pixels * classes;
    const buffers = { losses: pixels, correct: pixels, dlogits };
    const result = await runKernels(
      gpu(),
      [kernel],
      { logits, labels, classWeights, counts, ...buffers },
      written,
    );
    expect(written).toEqual([
      ...(parts.losses ? ["losses"] : []),
      ...(parts.correct ? ["correct"] : []),
      ...(parts.gradientScale === undefined ? [] : ["dlogits"]),
    ]);
    // Next to 1, because a loss of almost nothing is a difference of numbers that are not.
    if (parts.losses) expectClose([...result.losses, 1], [...expected.losses, 1], 2e-6);
    if (parts.correct) expect([...result.correct]).toEqual(expected.correct);
    if (parts.gradientScale !== undefined) {
      const factor = parts.gradientScale / (ignoreLabel === undefined ? 1 : counts[0]);
      const scaled = expected.dlogits.map((value) => value * factor);
      expectClose([...result.dlogits, 1], [...scaled, 1], 2e-6);
    }
  }

  describe.each(variants)("in the $family family with subgroups of $subgroupSize", (variant) => {
    const targetOf = (more: Partial<KernelTarget> = {}): KernelTarget => {
      const adapter = kernelTarget(gpu());
      const subgroupSize = Math.min(variant.subgroupSize ?? Infinity, adapter.subgroupSize);
      return { ...adapter, family: variant.family, subgroupSize, ...more };
    };

    it.each([
      ["pixels that fill no workgroup", 37, 59],
      ["one class", 9, 1],
      ["a pixel alone", 1, 5],
      ["lanes that all have as many values", 40, 64],
      ["rows too long to be held", 11, 1030],
    ])("equals the definition with %s", async (_, pixels, classes) => {
      await check(
        targetOf(),
        { pixels, classes, seed: 3 },
        { losses: true, correct: true, gradientScale: 0.5 },
      );
    });

    it("equals the definition in all its parts", async () => {
      const cases = fc.record({
        pixels: fc.integer({ min: 1, max: 70 }),
        classes: fc.constantFrom(2, 3, 9, 17, 33, 140),
        seed: fc.nat(1000),
        levels: fc.constantFrom(0, 2),
      });
      const parts = fc.constantFrom<CrossEntropyParts>(
        { losses: true },
        { correct: true, weighted: true },
        { gradientScale: 2 },
        { losses: true, weighted: true },
        { losses: true, gradientScale: -1, weighted: true },
        { losses: true, correct: true, gradientScale: 3, inPlace: true },
        { losses: true, correct: true, ignoreLabel: 1 },
        { losses: true, correct: true, gradientScale: 2, inPlace: true, weighted: true, ignoreLabel: 0 },
      );
      await fc.assert(
        fc.asyncProperty(cases, parts, (data, wanted) => check(targetOf(), data, wanted)),
        compiledCases(10),
      );
    });

    it.each([27, 1030])("writes the gradient over %i logits a pixel", async (classes) => {
      const all = { losses: true, correct: true, gradientScale: 1, inPlace: true };
      await check(targetOf(), { pixels: 37, classes, seed: 4 }, all);
    });

    it("walks over rows where the grid is small", async () => {
      const target = targetOf({ maxWorkgroupsPerDimension: 3 });
      await check(
        target,
        { pixels: 301, classes: 20, seed: 1 },
        { losses: true, correct: true, gradientScale: 1 },
      );
    });
  });
});

describe("rowLanes", () => {
  const layout = (family: KernelTarget["family"], subgroupSize: number, length: number): number[] => {
    const { lanes, held, size } = rowLanes({ ...paperTarget, family, subgroupSize }, length);
    return [lanes, held, size];
  };

  it("gives a row few lanes on a CPU and many on hardware, none to share without subgroups", () => {
    expect(layout("register", 8, 59)).toEqual([4, 15, 8]);
    expect(layout("workgroup", 32, 59)).toEqual([16, 4, 32]);
    expect(layout("workgroup", 32, 4)).toEqual([1, 4, 64]);
    expect(layout("workgroup", 0, 59)).toEqual([1, 59, 64]);
    expect(layout("register", 0, 59)).toEqual([1, 0, 64]);
    expect(layout("workgroup", 32, 4000)).toEqual([32, 0, 32]);
  });
});
