import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = x·scale + offset` with numbers for each channel: `x`, `y` `[pixels, C]`, C being the length of both. */
export function affineConstantsForward(
  target: KernelTarget,
  pixels: number,
  scale: readonly number[],
  offset: readonly number[],
): Kernel {
  const numbers = (name: string, values: readonly number[]) =>
    values.map((value, i) => [`${name}${i}`, f32(value)] as const);
  const channels = scale.length;
  return perItemKernel(target, pixels, {
    label: "affine_constants",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: Object.fromEntries([...numbers("scale", scale), ...numbers("offset", offset)]),
    body: scale
      .map((_, i) => {
        const at = `index * ${channels}u + ${i}u`;
        return `store_y(${at}, fma(load_x(${at}), params.scale${i}, params.offset${i}));`;
      })
      .join("\n  "),
  });
}
