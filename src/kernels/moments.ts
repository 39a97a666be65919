/**
 * @file Mean and (biased) variance of each channel, as Keras batch norm takes them: over all axes but the last.
 *
 * Both steps follow Welford: a running mean and a running sum of squared deviations from it, merged as in Chan, Golub &
 * LeVeque (1983), "Algorithms for Computing the Sample Variance". On top of that, values are taken relative to the
 * first one met, so that a mean much larger than the deviation costs no digits; E[x²] − μ² would lose them all.
 */
import { channelWalk, walkText } from "./text/channels.ts";
import type { ChannelWalk } from "./text/channels.ts";
import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/**
 * Moments of `x` `[rows, C]` by partial of `walk`: `mean` and `variance` `[.., C]` and `count` `[..]`, the number of rows,
 * written from row `firstPartial` on.
 */
export function moments(walk: ChannelWalk, firstPartial: number): Kernel {
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: "moments",
    read: { x: array },
    write: { mean: array, variance: array, count: "array<f32>" },
    params: { ...walk.params, firstPartial: u32(firstPartial) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: /* wgsl */ `
  let origin = load_x(first * params.columns + column);
  var n = 0.0;
  var centre = T(0.0);
  var squares = T(0.0);`,
      row: /* wgsl */ `
    n += 1.0;
    let value = load_x(at) - origin;
    let deviation = value - centre;
    centre += deviation * (1.0 / n);
    squares += deviation * (value - centre);`,
      end: /* wgsl */ `
  let to = params.firstPartial + partialIndex;
  store_mean(to * params.columns + column, origin + centre);
  store_variance(to * params.columns + column, squares / n);
  if (column == 0u) { store_count(to, n); }`,
    }),
  });
}

/** Merges moments `partialMean` and `partialVariance` `[rows, C]`, `partialCount` `[rows]` into one a partial of `walk`. */
export function mergeMoments(walk: ChannelWalk): Kernel {
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: "merge_moments",
    read: { partialMean: array, partialVariance: array, partialCount: "array<f32>" },
    write: { mean: array, variance: array, count: "array<f32>" },
    params: walk.params,
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: /* wgsl */ `
  let origin = load_partialMean(first * params.columns + column);
  var n = 0.0;
  var centre = T(0.0);
  var squares = T(0.0);`,
      row: /* wgsl */ `
    let more = load_partialCount(row);
    let share = more / (n + more);
    let deviation = load_partialMean(at) - origin - centre;
    centre += deviation * share;
    squares += load_partialVariance(at) * more + deviation * deviation * (n * share);
    n += more;`,
      end: /* wgsl */ `
  store_mean(partialIndex * params.columns + column, origin + centre);
  store_variance(partialIndex * params.columns + column, squares / n);
  if (column == 0u) { store_count(partialIndex, n); }`,
    }),
  });
}

/**
 * The gradient of the moments of x over the `batchRows` rows n of a whole batch, of which `x` and `dx` are `[rows, C]`:
 * `dx = (dmean + 2·(x − mean)·dvariance) / n`; without `dmean` where the mean itself has no influence. The rest `[C]`.
 */
export function momentsBackward(
  target: KernelTarget,
  rows: number,
  channels: number,
  { batchRows, dmean }: { readonly batchRows: number; readonly dmean: boolean },
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: dmean ? "moments_gradient" : "variance_gradient",
    read: { x: array, mean: array, dvariance: array, ...(dmean && { dmean: array }) },
    write: { dx: array },
    params: { ...walk.params, share: f32(1 / batchRows) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: /* wgsl */ `
  let centre = load_mean(column);
  let slope = load_dvariance(column) * (2.0 * params.share);
  let offset = ${dmean ? "load_dmean(column) * params.share" : "T(0.0)"};`,
      row: "store_dx(at, (load_x(at) - centre) * slope + offset);",
    }),
  });
}
