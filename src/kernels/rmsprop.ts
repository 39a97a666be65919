import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { SKIP } from "./loss-scale.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, severalTensors, tensorFactors } from "./text/several-tensors.ts";

export interface RmspropKernelOptions {
  readonly rho: number;
  readonly epsilon: number;
  /** Whether gradients are multiplied by `gradientScale` `[1]`; where it is 0 nothing is changed. */
  readonly scaled?: boolean;
  /** What the learning rate is multiplied by for each parameter; 1 without. */
  readonly rates?: readonly number[] | undefined;
}

/**
 * One step of RMSprop in place, elementwise over parameters of `lengths` f32 each (Keras `RMSprop` without momentum or
 * centring): of `gradient0`, `parameter0` and `meanSquare0`, of `gradient1`, .., with `v = meanSquare`,
 * `v = ρ·v + (1 − ρ)·g²`, then `parameter −= learningRate · g / sqrt(v + ε)`. `learningRate`: `[1]`.
 */
export function rmspropUpdate(
  target: KernelTarget,
  lengths: readonly number[],
  { rho, epsilon, scaled = false, rates }: RmspropKernelOptions,
): Kernel {
  const { width, float } = laneFor(...lengths);
  const rate = tensorFactors("rate", rates);
  const { count, params, text } = severalTensors(
    lengths.map((length) => length / width),
    (i) => /* wgsl */ `let g = load_gradient${i}(first)${scaled ? " * load_gradientScale(0)" : ""};
    let v = params.rho * load_meanSquare${i}(first) + params.rest * g * g;
    store_meanSquare${i}(first, v);
    store_parameter${i}(first, load_parameter${i}(first) - ${rate.times(i)}load_learningRate(0) * g / sqrt(v + params.epsilon));`,
  );
  return perItemKernel(target, count, {
    label: `rmsprop_${lengths.length}`,
    read: {
      learningRate: "array<f32>",
      ...(scaled && { gradientScale: "array<f32>" }),
      ...numberedBuffers(["gradient"], lengths.length, float),
    },
    write: numberedBuffers(["parameter", "meanSquare"], lengths.length, float),
    params: { rho: f32(rho), rest: f32(1 - rho), epsilon: f32(epsilon), ...rate.params, ...params },
    body: scaled ? SKIP + text : text,
  });
}
