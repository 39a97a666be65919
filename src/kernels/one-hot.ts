import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y` `[count, classes]`: 1 at each row's index, 0 elsewhere. */
export function oneHotForward(target: KernelTarget, count: number, classes: number): Kernel {
  return perItemKernel(target, count * classes, {
    label: "one_hot",
    read: { indices: "array<u32>" },
    write: { y: "array<f32>" },
    // In the text, where a compiler makes a product of the quotient.
    body: /* wgsl */ `let row = index / ${classes}u;
  store_y(index, select(0.0, 1.0, load_indices(row) == index - row * ${classes}u));`,
  });
}
