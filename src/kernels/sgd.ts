import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { SKIP } from "./loss-scale.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, severalTensors } from "./text/several-tensors.ts";
import { tensorRates } from "./text/tensor-rates.ts";

export interface SgdKernelOptions {
  /** Share of the velocity that a step keeps; with 0 there is no `velocity`. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Whether gradients are multiplied by `gradientScale` `[1]`; where it is 0 nothing is changed. */
  readonly scaled?: boolean;
  /** The share of each parameter that the learning rate takes off; none loses any without. */
  readonly decays?: readonly number[] | undefined;
  /** What the learning rate is multiplied by for each parameter; 1 without. */
  readonly rates?: readonly number[] | undefined;
}

/**
 * One step of gradient descent in place, elementwise over parameters of `lengths` f32 each: of `gradient0`, `parameter0` and
 * `velocity0`, of `gradient1`, .., with r = `learningRate` `[1]` and v = `velocity`, `v = momentum·v − r·g`, then
 * `parameter += v`, or with Nesterov's momentum `parameter += momentum·v − r·g`. With `decays` the parameter loses
 * `decay · r · parameter` besides.
 */
export function sgdUpdate(
  target: KernelTarget,
  lengths: readonly number[],
  { momentum, nesterov, scaled = false, decays, rates }: SgdKernelOptions,
): Kernel {
  const { width, float } = laneFor(...lengths);
  const moves = momentum > 0;
  const own = tensorRates({ decays, rates });
  const { count, params, text } = severalTensors(
    lengths.map((length) => length / width),
    (i) => /* wgsl */ `let g = load_gradient${i}(first)${scaled ? " * load_gradientScale(0)" : ""};
    let slope = ${own.times(i)}load_learningRate(0) * g;
    ${
      moves
        ? `let v = params.momentum * load_velocity${i}(first) - slope;
    store_velocity${i}(first, v);
    let step = ${nesterov ? "params.momentum * v - slope" : "v"};`
        : "let step = -slope;"
    }
    store_parameter${i}(first, load_parameter${i}(first) + step${own.decayed(i)});`,
  );
  return perItemKernel(target, count, {
    label: `sgd_${lengths.length}`,
    read: {
      learningRate: "array<f32>",
      ...(scaled && { gradientScale: "array<f32>" }),
      ...numberedBuffers(["gradient"], lengths.length, float),
    },
    write: numberedBuffers(["parameter", ...(moves ? ["velocity"] : [])], lengths.length, float),
    params: { ...(moves && { momentum: f32(momentum) }), ...own.params, ...params },
    body: scaled ? SKIP + text : text,
  });
}
