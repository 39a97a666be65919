import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, tensorsAtOnce } from "./text/several-tensors.ts";

/** How many tensors {@link addSeveral} can take. */
export const mostTermsAtOnce = (target: KernelTarget): number => tensorsAtOnce(target, 1, 1);

/** `y = x0 + x1 + …`, elementwise, of `terms` tensors, or with `accumulate` `y += x0 + …`; all `[count]`. */
export function addSeveral(
  target: KernelTarget,
  count: number,
  terms: number,
  { accumulate = false }: { accumulate?: boolean } = {},
): Kernel {
  const { width, float } = laneFor(count);
  const sum = Array.from({ length: terms }, (_, i) => `load_x${i}(index)`);
  return perItemKernel(target, count / width, {
    label: `add_${terms}${accumulate ? "_more" : ""}`,
    read: numberedBuffers(["x"], terms, float),
    write: { y: `array<${float}>` },
    body: `store_y(index, ${[...(accumulate ? ["load_y(index)"] : []), ...sum].join(" + ")});`,
  });
}
