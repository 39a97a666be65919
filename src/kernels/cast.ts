import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Copies `x` to `y`, `count` numbers, which may be stored in different precisions; see accessors.ts. */
export function castForward(target: KernelTarget, count: number): Kernel {
  const { width, float } = laneFor(count);
  return perItemKernel(target, count / width, {
    label: "cast",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    body: "store_y(index, load_x(index));",
  });
}
