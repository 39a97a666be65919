import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { SKIP } from "./loss-scale.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, severalTensors } from "./text/several-tensors.ts";
import { tensorRates } from "./text/tensor-rates.ts";

export interface AdamKernelOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Whether gradients are multiplied by `gradientScale` `[1]`; where it is 0 nothing is changed. */
  readonly scaled?: boolean;
  /** AdamW: the share of each parameter that `learningRate` `[1]` takes off; none loses any without. */
  readonly decays?: readonly number[] | undefined;
  /** What the learning rate is multiplied by for each parameter; 1 without. */
  readonly rates?: readonly number[] | undefined;
}

/** Terms of the series of 1 − βᵗ that are enough for f32 where −t·ln β is below 1. */
const TERMS = 12;

/**
 * Counts a step, and corrects the learning rate for moments that began at zero: `step` `[1]` becomes t, one more than it
 * was, and `alpha` `[1]` = `learningRate` · sqrt(1 − β₂ᵗ) / (1 − β₁ᵗ).
 *
 * 1 − exp(−x) is summed from its series where x is small: the difference itself would leave only three digits of
 * 1 − 0.999.
 */
export function adamStep(
  target: KernelTarget,
  { beta1, beta2, scaled = false }: Pick<AdamKernelOptions, "beta1" | "beta2" | "scaled">,
): Kernel {
  return perItemKernel(target, 1, {
    label: "adam_step",
    read: { learningRate: "array<f32>", ...(scaled && { gradientScale: "array<f32>" }) },
    write: { step: "array<f32>", alpha: "array<f32>" },
    params: { decay1: f32(-Math.log(beta1)), decay2: f32(-Math.log(beta2)) },
    body: /* wgsl */ `${scaled ? SKIP : ""}
  let t = load_step(0) + 1.0;
  store_step(0, t);
  let x = vec2f(params.decay1, params.decay2) * t;
  var series = vec2f(1.0);
  for (var i = ${TERMS}.0; i > 1.0; i -= 1.0) { series = 1.0 - x / i * series; }
  let rest = select(1.0 - exp(-x), x * series, x < vec2f(1.0));
  store_alpha(0, load_learningRate(0) * sqrt(rest.y) / rest.x);`,
  });
}

/**
 * One step of Adam in place, elementwise over parameters of `lengths` f32 each: of `gradient0`, `parameter0`, `mean0` and
 * `meanSquare0`, of `gradient1`, .., `m += (g − m)·(1 − β₁)`, `v += (g² − v)·(1 − β₂)`, then
 * `parameter −= α·m / (sqrt(v) + ε)`. `alpha`: `[1]`, of {@link adamStep}. With `decays` the parameter loses
 * `decay · learningRate · parameter` besides.
 */
export function adamUpdate(
  target: KernelTarget,
  lengths: readonly number[],
  { beta1, beta2, epsilon, scaled = false, decays, rates }: AdamKernelOptions,
): Kernel {
  const { width, float } = laneFor(...lengths);
  const own = tensorRates({ decays, rates });
  const { count, params, text } = severalTensors(
    lengths.map((length) => length / width),
    (i) => /* wgsl */ `let g = load_gradient${i}(first)${scaled ? " * load_gradientScale(0)" : ""};
    let m = load_mean${i}(first) + (g - load_mean${i}(first)) * params.rest1;
    let v = load_meanSquare${i}(first) + (g * g - load_meanSquare${i}(first)) * params.rest2;
    store_mean${i}(first, m);
    store_meanSquare${i}(first, v);
    store_parameter${i}(first, load_parameter${i}(first) - ${own.times(i)}load_alpha(0) * m / (sqrt(v) + params.epsilon)${own.decayed(i)});`,
  );
  return perItemKernel(target, count, {
    label: `${decays ? "adamw" : "adam"}_${lengths.length}`,
    read: {
      alpha: "array<f32>",
      ...(decays && { learningRate: "array<f32>" }),
      ...(scaled && { gradientScale: "array<f32>" }),
      ...numberedBuffers(["gradient"], lengths.length, float),
    },
    write: numberedBuffers(["parameter", "mean", "meanSquare"], lengths.length, float),
    params: {
      rest1: f32(1 - beta1),
      rest2: f32(1 - beta2),
      epsilon: f32(epsilon),
      ...own.params,
      ...params,
    },
    body: scaled ? SKIP + text : text,
  });
}
