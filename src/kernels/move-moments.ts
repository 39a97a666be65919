import { f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, severalTensors } from "./text/several-tensors.ts";

/** The moving statistics of one batch norm, or of several that lie one after the other. */
export interface MovedMoments {
  /** Of all of them. */
  readonly count: number;
  /** Share of them that stays; "fed" for one number for all, read from `momentum` `[1]`, which every run may be given anew. */
  readonly momentum: number | "fed";
}

const FED = "let moved = moving * load_momentum(0) + batch * (1.0 - load_momentum(0));";

/**
 * One step of several moving statistics, in place: `moving = moving · momentum + batch · (1 − momentum)`. `movingMean0` and
 * `movingVariance0` `[count]` move towards `mean0` and `variance0`; so do the next.
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
      ${all[i].momentum === "fed" ? FED : `let moved = moving * params.momentum${i} + batch * params.rest${i};`}
      store_movingMean${i}(first, moved.x);
      store_movingVariance${i}(first, moved.y);
    }`,
  );
  const ofEach = all.flatMap(({ momentum }, i) =>
    momentum === "fed"
      ? []
      : [[`momentum${i}`, f32(momentum)] as const, [`rest${i}`, f32(1 - momentum)] as const],
  );
  const fed = all.some(({ momentum }) => momentum === "fed");
  return perItemKernel(target, count, {
    label: `move_moments_${all.length}`,
    read: {
      ...(fed && { momentum: "array<f32>" }),
      ...numberedBuffers(["mean", "variance"], all.length, "f32"),
    },
    write: numberedBuffers(["movingMean", "movingVariance"], all.length, "f32"),
    params: { ...params, ...Object.fromEntries(ofEach) },
    body: text,
  });
}
