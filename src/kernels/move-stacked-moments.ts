import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./per-item.ts";

/**
 * One step of stacked moving statistics, in place: `moving = moving · momentum + batch · (1 − momentum)`. `movingMean` and
 * `movingVariance` `[count]` hold those of several layers, the first of `channels` channels and each of the next of
 * `growth` more; channel c of every layer moves towards `mean[c]` and `variance[c]`.
 */
export function moveStackedMoments(
  target: KernelTarget,
  count: number,
  momentum: number,
  { channels, growth }: { readonly channels: number; readonly growth: number },
): Kernel {
  return perItemKernel(target, count, {
    label: "move_stacked_moments",
    read: { mean: "array<f32>", variance: "array<f32>" },
    write: { movingMean: "array<f32>", movingVariance: "array<f32>" },
    params: {
      momentum: f32(momentum),
      rest: f32(1 - momentum),
      channels: u32(channels),
      growth: u32(growth),
    },
    body: /* wgsl */ `
  var channel = index;
  for (var size = params.channels; channel >= size; size += params.growth) { channel -= size; }
  movingMean[index] = movingMean[index] * params.momentum + mean[channel] * params.rest;
  movingVariance[index] = movingVariance[index] * params.momentum + variance[channel] * params.rest;`,
  });
}
