import type { TestContext } from "vitest";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { KernelTarget } from "../../src/kernels/kernel.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { EMULATED_LANES, EMULATED_MATRIX, mustEmulate } from "./emulated-matrices.ts";

type Adapt = (target: KernelTarget) => KernelTarget;

/** Ways to write a kernel, by their names. */
export type Families = Readonly<Record<string, Adapt>>;

/** Products in registers, without a barrier. */
export const REGISTER: Families = {
  "register tiles": (target) => ({ ...target, family: "register" }),
  "register tiles without subgroups": (target) => ({ ...target, family: "register", subgroupSize: 0 }),
};

/** Products in workgroup memory, behind barriers: lavapipe compiles each text for seconds, half as long in 4 lanes. */
export const WORKGROUP: Families = {
  "workgroup tiles": (target) => ({ ...target, family: "workgroup", subgroupMatrix: null }),
};

/** What a kernel that is written more than once must be tested as. */
export const FAMILIES: Families = { ...REGISTER, ...WORKGROUP };

/** Products on subgroup matrices, which `runKernels` emulates where the adapter has none; of images stored as f16 only. */
export const MATRICES: Families = {
  "subgroup matrices": (target) => ({
    ...target,
    family: "workgroup",
    ...(target.subgroupMatrix === null && {
      subgroupSize: EMULATED_LANES,
      subgroupMatrix: EMULATED_MATRIX,
      // What emulates them keeps the slabs in f32.
      maxWorkgroupBytes: target.maxWorkgroupBytes / 2,
    }),
  }),
};

/** How near results must come, of the largest: matrices that are not emulated round their operands to f16. */
export const closeness = (gpu: Gpu, { subgroupMatrix }: KernelTarget): number =>
  subgroupMatrix === null || mustEmulate(gpu) ? 1e-5 : 2e-3;

/** The target of `gpu`, adapted; skips what the adapter cannot be asked for. */
export function targetFor(gpu: Gpu, adapt: Adapt, { skip }: TestContext): KernelTarget {
  const target = adapt(kernelTarget(gpu));
  const endless = target.family === "workgroup" && /swiftshader/i.test(gpu.adapterName);
  skip(endless, "SwiftShader compiles workgroup tiles, which are for hardware, for minutes.");
  return target;
}
