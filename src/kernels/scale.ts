import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = factor · x`, elementwise; `x`, `y`: `[count]` f32. */
export function scaleForward(target: KernelTarget, count: number, factor: number): Kernel {
  return perItemKernel(target, count, {
    label: "scale",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { factor: f32(factor) },
    body: "y[index] = params.factor * x[index];",
  });
}

/** `y = factor[0] · x`, elementwise; `x`, `y`: `[count]` f32. */
export function scaleByForward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "scale",
    read: { x: "array<f32>", factor: "array<f32>" },
    write: { y: "array<f32>" },
    body: "y[index] = factor[0] * x[index];",
  });
}
