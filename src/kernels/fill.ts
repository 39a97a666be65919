import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `count` numbers of `y`, f32, from number `begin` on become `value`. */
export function fillForward(target: KernelTarget, count: number, value: number, begin = 0): Kernel {
  return perItemKernel(target, count, {
    label: "fill",
    read: {},
    write: { y: "array<f32>" },
    params: { value: f32(value), begin: u32(begin) },
    body: "store_y(params.begin + index, params.value);",
  });
}
