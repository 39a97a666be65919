import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = value`; `y`: `[count]` f32. */
export function fillForward(target: KernelTarget, count: number, value: number): Kernel {
  return perItemKernel(target, count, {
    label: "fill",
    read: {},
    write: { y: "array<f32>" },
    params: { value: f32(value) },
    body: "store_y(index, params.value);",
  });
}
