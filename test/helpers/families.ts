import type { TestContext } from "vitest";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { KernelTarget } from "../../src/kernels/kernel.ts";
import { kernelTarget } from "../../src/kernels/target.ts";

type Adapt = (target: KernelTarget) => KernelTarget;

/** What a kernel that is written more than once must be tested as. */
export const FAMILIES: Readonly<Record<string, Adapt>> = {
  "register tiles": (target) => ({ ...target, family: "register" }),
  "register tiles without subgroups": (target) => ({ ...target, family: "register", subgroupSize: 0 }),
  "workgroup tiles": (target) => ({ ...target, family: "workgroup" }),
};

/** The target of `gpu`, adapted; skips what the adapter cannot be asked for. */
export function targetFor(gpu: Gpu, adapt: Adapt, { skip }: TestContext): KernelTarget {
  const target = adapt(kernelTarget(gpu));
  const endless = target.family === "workgroup" && /swiftshader/i.test(gpu.adapterName);
  skip(endless, "SwiftShader compiles workgroup tiles, which are for hardware, for minutes.");
  return target;
}
