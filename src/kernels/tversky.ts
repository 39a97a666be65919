import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { REGION_SUMS } from "./region-sums.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Sums over images: `sums` `[images, 3, classes]` to `totals` `[3, classes]`; see `softmaxRegionSums`. */
export function addRegionSums(target: KernelTarget, images: number, classes: number): Kernel {
  return perItemKernel(target, REGION_SUMS * classes, {
    label: "add_region_sums",
    read: { sums: "array<f32>" },
    write: { totals: "array<f32>" },
    params: { images: u32(images) },
    body: /* wgsl */ `
  var total = 0.0;
  for (var image = 0u; image < params.images; image++) { total += load_sums(image * params.count + index); }
  store_totals(index, total);`,
  });
}

/** See {@link tverskyLosses}. */
export interface TverskyWeights {
  /** Of false positives. */
  readonly alpha: number;
  /** Of false negatives; above 0, so that no class that is present divides by 0. */
  readonly beta: number;
  /** Added to both sides of the fraction. */
  readonly smooth: number;
}

/**
 * The Tversky loss of each class, 1 − (TP + s) / (TP + α·FP + β·FN + s) over the number of classes that are present, those
 * whose truth is not 0, and 0 for the others: of `totals` `[3, classes]` to `losses` `[classes]`. TP is the overlap, FP what is predicted
 * besides, FN what is missing of the truth.
 *
 * `slopes` `[2, classes]` are its derivatives by the overlap and by what is predicted.
 */
export function tverskyLosses(
  target: KernelTarget,
  classes: number,
  { alpha, beta, smooth }: TverskyWeights,
): Kernel {
  return perItemKernel(target, classes, {
    label: "tversky_losses",
    read: { totals: "array<f32>" },
    write: { losses: "array<f32>", slopes: "array<f32>" },
    params: { alpha: f32(alpha), beta: f32(beta), smoothing: f32(smooth) },
    body: /* wgsl */ `
  let truths = 2u * params.count;
  var present = 0.0;
  for (var i = 0u; i < params.count; i++) { present += select(0.0, 1.0, load_totals(truths + i) > 0.0); }
  let overlap = load_totals(index);
  let predicted = load_totals(params.count + index);
  let truth = load_totals(truths + index);
  let isPresent = truth > 0.0;
  // What the fraction lacks of 1, times its denominator: 0 where the prediction is perfect.
  let missing = params.alpha * (predicted - overlap) + params.beta * (truth - overlap);
  let numerator = overlap + params.smoothing;
  // Of a class that is present it is never as small.
  let denominator = max(numerator + missing, 1e-30);
  let share = 1.0 / (denominator * max(present, 1.0));
  let perUnit = share / denominator;
  store_losses(index, select(0.0, missing * share, isPresent));
  store_slopes(
    index,
    select(0.0, -(missing + (params.alpha + params.beta) * numerator) * perUnit, isPresent),
  );
  store_slopes(params.count + index, select(0.0, params.alpha * numerator * perUnit, isPresent));`,
  });
}
