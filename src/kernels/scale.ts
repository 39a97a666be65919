import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { partialSums, partialSumText } from "./sum-rows.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = factor · x`, elementwise; `x`, `y`: `[count]` f32. */
export function scaleForward(target: KernelTarget, count: number, factor: number): Kernel {
  return perItemKernel(target, count, {
    label: "scale",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { factor: f32(factor) },
    body: "store_y(index, params.factor * load_x(index));",
  });
}

/** `y = factor[0] · x`, elementwise; `x`, `y`: `[count]` f32. */
export function scaleByForward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "scale",
    read: { x: "array<f32>", factor: "array<f32>" },
    write: { y: "array<f32>" },
    body: "store_y(index, load_factor(0) * load_x(index));",
  });
}

/**
 * The gradient of a factor that is a tensor is Σ x·dy: {@link partialSums} of it over `length` f32 each, written to `sums`
 * from element `begin` on.
 */
export function scaleFactorBackward(target: KernelTarget, length: number, begin: number): Kernel {
  const count = partialSums(length);
  return perItemKernel(target, count, {
    label: "scale_factor_gradient",
    read: { x: "array<f32>", dy: "array<f32>" },
    write: { sums: "array<f32>" },
    params: { extent: u32(length), begin: u32(begin) },
    body: /* wgsl */ `
  let first = index;
  ${partialSumText({ partials: "params.count", length: "params.extent", value: "load_x(i) * load_dy(i)" })}
  store_sums(params.begin + index, total);`,
  });
}
