import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./per-item.ts";

/** `y = 1` where `a == b`, else 0; `a`, `b`: `[count]` u32, `y`: `[count]` f32. */
export function equalForward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "equal",
    read: { a: "array<u32>", b: "array<u32>" },
    write: { y: "array<f32>" },
    body: "y[index] = select(0.0, 1.0, a[index] == b[index]);",
  });
}
