import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, severalTensors } from "./text/several-tensors.ts";

/** The moving statistics of one batch norm, or of several that lie one after the other. */
export interface MovedMoments {
  /** Of all of them. */
  readonly count: number;
  /** Share of them that stays; "pooled" for one share for all, read from `momentum` `[1]`, which every run may be given anew. */
  readonly momentum: number | "pooled";
}

/** Two sets of values taken for one: how far their means lie apart is part of the variance. */
const POOLED = /* wgsl */ `let kept = load_momentum(0);
      let apart = batch.x - moving.x;
      let moved = moving * kept + batch * (1.0 - kept) + vec2f(0.0, kept * (1.0 - kept) * apart * apart);`;

/**
 * One step of several moving statistics, in place: `moving = moving · momentum + batch · (1 − momentum)`. `movingMean0` and
 * `movingVariance0` `[count]` move towards `mean0` and `variance0`; so do the next. Pooled, they become the mean and the biased variance of
 * all values together, of which `momentum` is the share of those before (Chan, Golub & LeVeque 1979, "Updating formulae").
 *
 * A channel whose mean or variance of the batch is not finite stays where it is: in half precision a batch may overflow, its
 * step is skipped (see `lossScaleStep`), and it must not spoil the statistics for good.
 */
export function moveMoments(target: KernelTarget, all: readonly MovedMoments[]): Kernel {
  const { count, params, text } = severalTensors(
    all.map(({ count }) => count),
    (i) => /* wgsl */ `// WGSL may assume that numbers are finite; the exponents' bits tell.
    let batch = vec2f(load_mean${i}(first), load_variance${i}(first));
    if (all((bitcast<vec2u>(batch) & vec2u(0x7f800000u)) != vec2u(0x7f800000u))) {
      let moving = vec2f(load_movingMean${i}(first), load_movingVariance${i}(first));
      ${all[i].momentum === "pooled" ? POOLED : `let moved = moving * params.momentum${i} + batch * params.rest${i};`}
      store_movingMean${i}(first, moved.x);
      store_movingVariance${i}(first, moved.y);
    }`,
  );
  const ofEach = all.flatMap(({ momentum }, i) =>
    momentum === "pooled"
      ? []
      : [[`momentum${i}`, f32(momentum)] as const, [`rest${i}`, f32(1 - momentum)] as const],
  );
  const pooled = all.some(({ momentum }) => momentum === "pooled");
  return perItemKernel(target, count, {
    label: `move_moments_${all.length}`,
    read: {
      ...(pooled && { momentum: "array<f32>" }),
      ...numberedBuffers(["mean", "variance"], all.length, "f32"),
    },
    write: numberedBuffers(["movingMean", "movingVariance"], all.length, "f32"),
    params: { ...params, ...Object.fromEntries(ofEach) },
    body: text,
  });
}
