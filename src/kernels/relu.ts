import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = max(x, 0)`, elementwise; `x`, `y`: `[count]` f32. */
export function reluForward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "relu_forward",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    body: "store_y(index, max(load_x(index), 0.0));",
  });
}

/** `dx = dy` where `y > 0`, else 0; all `[count]` f32. Reads the output, so the input need not be kept. */
export function reluBackward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "relu_backward",
    read: { y: "array<f32>", dy: "array<f32>" },
    write: { dx: "array<f32>" },
    body: "store_dx(index, select(0.0, load_dy(index), load_y(index) > 0.0));",
  });
}
