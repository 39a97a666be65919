import { describe, expect, it } from "vitest";
import { conv2dForwardFused } from "../../../src/kernels/conv2d/forward.ts";
import { sampleProducts } from "../../../src/kernels/conv2d/digest.ts";
import { describeTile, tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import { withStorage } from "../../../src/kernels/kernel.ts";
import type { Kernel, KernelTarget, SubgroupMatrix } from "../../../src/kernels/kernel.ts";
import { usesMatrices } from "../../helpers/emulated-matrices.ts";
import { paperGpu } from "../../helpers/target.ts";
import { useTint } from "../../helpers/tint.ts";
import { geometry } from "./fused-reference.ts";

const compile = useTint();

const hardware = (
  subgroupMatrix: SubgroupMatrix | null,
  maxWorkgroupBytes = paperGpu.maxWorkgroupBytes,
): KernelTarget => ({ ...paperGpu, subgroupMatrix, maxWorkgroupBytes });
const LARGE = paperGpu.subgroupMatrix!;
const OF_F32 = { ...LARGE, component: "f32", rows: 8, columns: 8, depth: 8, workgroupMultiple: 64 } as const;

/** Every sample that multiplies matrices, in every tile that there is for it, of f32 and of f16 in memory. */
function everyKernel(target: KernelTarget): Kernel[] {
  const inTile = (i: number): Kernel[] =>
    sampleProducts({ ...target, tileFor: (request) => tileCandidates(target, request)[i] }).filter(
      usesMatrices,
    );
  const most = Math.max(...inTile(0).map(({ tiling }) => tileCandidates(target, tiling!.request).length));
  const all = Array.from({ length: most }, (_, i) => inTile(i)).flat();
  const images = ["x", "y", "dy", "dx"];
  const halved = all.map((kernel) => {
    const bound = kernel.bindings.filter(({ name }) => images.includes(name));
    return withStorage(kernel, Object.fromEntries(bound.map(({ name }) => [name, "f16" as const])));
  });
  const texts = new Map([...all, ...halved].map((kernel) => [kernel.wgsl, kernel]));
  return [...texts.values()];
}

describe("products on subgroup matrices", () => {
  let pipelines = 0;

  it.each([
    ["16×16×16, memory of 48 KiB", LARGE, 49152],
    ["16×16×16, memory of 16 KiB", LARGE, 16384],
    ["8×8×8, memory of 32 KiB", { ...LARGE, rows: 8, columns: 8, depth: 8 }, 32768],
    ["16×8×16, memory of 16 KiB", { ...LARGE, columns: 8 }, 16384],
    ["8×8×8 of f32, memory of 32 KiB", OF_F32, 32768],
  ] as const)("are WGSL that Dawn compiles without a warning: %s", async (_, matrix, bytes) => {
    const kernels = everyKernel(hardware(matrix, bytes));
    expect(kernels.length).toBeGreaterThan(20);
    for (const kernel of kernels) {
      const { messages, failure } = await compile(kernel);
      const what = `${kernel.label} in ${describeTile(kernel.tiling!.tile)}`;
      expect(messages, what).toEqual([]);
      if (failure === null) pipelines++;
      // The compiler's adapter is none of this kind: its subgroups may have 128 lanes, its workgroups have 16 KiB.
      else if (bytes > 16384 && failure.includes("workgroup storage")) continue;
      else expect(failure, what).toMatch(/multiple of the device maxSubgroupSize/);
    }
  });

  it("are pipelines too, where the compiler's adapter has the memory and the subgroups", () => {
    expect(pipelines).toBeGreaterThan(0);
  });

  it("are made of images stored as f16, or of all where operands may be f32, where there is enough to sum", () => {
    const g = geometry([2, 8, 8, 32], [3, 3, 32, 32]);
    const uses = (target: KernelTarget, half: boolean, of = g): boolean =>
      usesMatrices(conv2dForwardFused(target, of, { half }).kernel);
    expect(uses(hardware(LARGE), true)).toBe(true);
    expect(uses(hardware(OF_F32), true)).toBe(true);
    expect(uses(hardware(OF_F32), false)).toBe(true);
    expect(uses(hardware(LARGE), false)).toBe(false);
    expect(uses(hardware(null), true)).toBe(false);
    expect(uses({ ...hardware(LARGE), family: "register" }, true)).toBe(false);
    expect(uses(hardware(LARGE, 4096), true)).toBe(false);
    expect(uses(hardware(LARGE), true, geometry([2, 8, 8, 3], [3, 3, 3, 32]))).toBe(false);
  });

  it("leave every other product as it is", () => {
    const texts = (target: KernelTarget): string[] => sampleProducts(target).map(({ wgsl }) => wgsl);
    const without = texts(hardware(null));
    expect(texts(hardware(LARGE)).slice(0, without.length)).toEqual(without);
  });
});
