import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

export interface LossScaleKernelOptions {
  /** Steps in a row without an overflow after which the scale doubles. */
  readonly growthSteps: number;
  /** Scale gradients down to this global norm; null for any. */
  readonly clipNorm: number | null;
}

/** Its inverse is still a normal number, and it can be halved: of an infinite scale nothing would come back. */
const LARGEST = 2 ** 126;

/** WGSL with which the kernels of optimizers begin: inf · 0 would be no number. */
export const SKIP = "if (load_gradientScale(0) == 0.0) { return; }\n  ";

/**
 * One step of a dynamic loss scale. `norm` `[1]` is that of all gradients, which were made with `scale` `[1]`.
 *
 * Where it is finite, `factor` `[1]` becomes 1 / scale, and less where the norm would pass `clipNorm`, and after
 * `growthSteps` such steps in a row, counted in `goodSteps` `[1]`, the scale doubles, up to 2¹²⁶. Otherwise the factor is 0
 * and the scale is halved, down to 1; `exhausted` `[1]` is 1 where it was 1 before, else 0. `trueNorm` `[1]`: norm / scale.
 */
export function lossScaleStep(
  target: KernelTarget,
  { growthSteps, clipNorm }: LossScaleKernelOptions,
): Kernel {
  const clips = clipNorm !== null;
  return perItemKernel(target, 1, {
    label: clips ? "loss_scale_step_clip" : "loss_scale_step",
    read: { norm: "array<f32>" },
    write: {
      scale: "array<f32>",
      goodSteps: "array<f32>",
      factor: "array<f32>",
      trueNorm: "array<f32>",
      exhausted: "array<f32>",
    },
    params: {
      growthSteps: f32(growthSteps),
      largest: f32(LARGEST),
      ...(clips && { clipNorm: f32(clipNorm) }),
    },
    // WGSL may assume that numbers are finite; the exponent's bits tell.
    body: /* wgsl */ `
  let finite = (bitcast<u32>(load_norm(0)) & 0x7f800000u) != 0x7f800000u;
  let before = load_scale(0);
  let length = load_norm(0) / before;
  store_trueNorm(0, length);
  var share = 1.0 / before;
  ${clips ? "if (length > params.clipNorm) { share *= params.clipNorm / length; }" : ""}
  store_factor(0, select(0.0, share, finite));
  store_exhausted(0, select(0.0, 1.0, !finite && before <= 1.0));
  let good = select(0.0, load_goodSteps(0) + 1.0, finite);
  let grows = good >= params.growthSteps;
  store_goodSteps(0, select(good, 0.0, grows));
  store_scale(0, select(max(0.5 * before, 1.0), select(before, min(2.0 * before, params.largest), grows), finite));`,
  });
}
