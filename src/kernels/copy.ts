import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = x`, of `count` numbers, f32. */
export function copyNumbers(target: KernelTarget, count: number): Kernel {
  const { width, float } = laneFor(count);
  return perItemKernel(target, count / width, {
    label: "copy",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    body: "store_y(index, load_x(index));",
  });
}
