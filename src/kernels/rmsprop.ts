import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./lane.ts";
import { perItemKernel } from "./per-item.ts";

export interface RmspropKernelOptions {
  readonly rho: number;
  readonly epsilon: number;
}

/**
 * One step of RMSprop in place, elementwise over `[count]` f32 (Keras `RMSprop` without momentum or centring):
 * `v = ρ·v + (1 − ρ)·g²`, then `parameter −= learningRate · g / sqrt(v + ε)`. `learningRate`: `[1]`.
 */
export function rmspropUpdate(
  target: KernelTarget,
  count: number,
  { rho, epsilon }: RmspropKernelOptions,
): Kernel {
  const { width, float } = laneFor(count);
  const array = `array<${float}>`;
  return perItemKernel(target, count / width, {
    label: "rmsprop",
    read: { gradient: array, learningRate: "array<f32>" },
    write: { parameter: array, meanSquare: array },
    params: { rho: f32(rho), rest: f32(1 - rho), epsilon: f32(epsilon) },
    body: /* wgsl */ `
  let g = gradient[index];
  let v = params.rho * meanSquare[index] + params.rest * g * g;
  meanSquare[index] = v;
  parameter[index] -= learningRate[0] * g / sqrt(v + params.epsilon);`,
  });
}
