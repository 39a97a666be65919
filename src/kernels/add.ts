import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = a + b`, elementwise; all `[count]` f32. */
export function addForward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "add",
    read: { a: "array<f32>", b: "array<f32>" },
    write: { y: "array<f32>" },
    body: "store_y(index, load_a(index) + load_b(index));",
  });
}
