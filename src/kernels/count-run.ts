import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Where a count in f32, whole and below 2²⁴, begins anew. */
const MOST = 2 ** 24 - 1;

/** `count` `[1]` becomes what follows `run`, u32 `[1]`; what follows 2²⁴ − 1 is 0. */
export function countRun(target: KernelTarget): Kernel {
  return perItemKernel(target, 1, {
    label: "count_run",
    read: { run: "array<u32>" },
    write: { count: "array<f32>" },
    body: `store_count(0, select(f32(load_run(0) + 1u), 0.0, load_run(0) >= ${MOST}u));`,
  });
}
