import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, severalTensors } from "./text/several-tensors.ts";

/**
 * Scales tensors by `clipNorm` / `norm` where `norm` `[1]` is larger and copies them otherwise: `x0`, `x1`, .. of `lengths`
 * f32 each to `y0`, `y1`, ... A norm that is not finite takes the factor's place, so that nothing finite is left.
 */
export function clipByNorm(target: KernelTarget, lengths: readonly number[], clipNorm: number): Kernel {
  const { width, float } = laneFor(...lengths);
  const { count, params, text } = severalTensors(
    lengths.map((length) => length / width),
    (i) => `store_y${i}(first, load_x${i}(first) * factor);`,
  );
  return perItemKernel(target, count, {
    label: `clip_by_norm_${lengths.length}`,
    read: { norm: "array<f32>", ...numberedBuffers(["x"], lengths.length, float) },
    write: numberedBuffers(["y"], lengths.length, float),
    params: { clipNorm: f32(clipNorm), ...params },
    // WGSL may assume that numbers are finite; the exponent's bits tell.
    body: /* wgsl */ `
  let length = load_norm(0);
  let finite = (bitcast<u32>(length) & 0x7f800000u) != 0x7f800000u;
  let factor = select(length, select(1.0, params.clipNorm / length, length > params.clipNorm), finite);
  ${text}`,
  });
}
