import { u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { partialSums, partialSumText } from "./sum-rows.ts";
import { perItemKernel } from "./text/per-item.ts";

/**
 * Partial sums of how many labels of each row are not `ignoreLabel`: `labels` `[rows, length]` (u32) to `counts`
 * `[rows, partialSums(length)]`, f32 for `sumRows` to go on with.
 */
export function countPixels(target: KernelTarget, rows: number, length: number, ignoreLabel: number): Kernel {
  const partials = partialSums(length);
  return perItemKernel(target, rows * partials, {
    label: "pixel_count",
    read: { labels: "array<u32>" },
    write: { counts: "array<f32>" },
    params: { partials: u32(partials), extent: u32(length), ignored: u32(ignoreLabel) },
    body: /* wgsl */ `
  let row = index / params.partials;
  let first = index - row * params.partials;
  let begin = row * params.extent;
  ${partialSumText({
    partials: "params.partials",
    length: "params.extent",
    value: "select(1.0, 0.0, load_labels(begin + i) == params.ignored)",
  })}
  store_counts(index, total);`,
  });
}
