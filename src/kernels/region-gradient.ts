import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { crossEntropyText } from "./text/cross-entropy.ts";
import type { CrossEntropyKind } from "./text/cross-entropy.ts";
import { holdRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";
import { softmaxRow } from "./text/softmax-row.ts";

/** See {@link softmaxRegionGradient}. */
export interface RegionGradientParts extends CrossEntropyKind {
  /** Adds the gradient of the cross-entropy, times this factor. */
  readonly crossEntropyScale?: number | undefined;
  /** Whether all of it is multiplied by `dy` `[1]`, the gradient of the loss. */
  readonly timesDy?: boolean;
  /** Whether `dlogits` holds the logits at first and is written over them; there is no `logits` then. */
  readonly inPlace?: boolean;
  /**
   * Pixels with exactly this label have gradient 0, whatever their logits. That of the cross-entropy is then also divided by
   * `counts` `[1]`, the number of the other pixels.
   */
  readonly ignoreLabel?: number | undefined;
}

/**
 * The gradient of a loss on regions by the logits, `dlogits` `[pixels, classes]`: of the softmax of `logits` `[pixels, classes]`,
 * `labels` `[pixels]` (u32) and the loss's `slopes` `[2, classes]` by the sums of each class, probability times truth and
 * probability (`softmaxRegionSums`).
 */
export function softmaxRegionGradient(
  target: KernelTarget,
  pixels: number,
  classes: number,
  { crossEntropyScale, timesDy = false, inPlace = false, ignoreLabel, ...kind }: RegionGradientParts,
): Kernel {
  const layout = rowLanes(target, classes);
  const withEntropy = crossEntropyScale !== undefined;
  const weighted = (kind.weighted ?? false) && withEntropy;
  const ignores = ignoreLabel !== undefined;
  const counts = withEntropy && ignores;
  // In place too: a lane reads and writes no value but its own.
  const logits = inPlace ? "dlogits" : "logits";
  const row = softmaxRow(layout, logits, { ofLabel: true });
  const entropy = crossEntropyText(classes, { ...kind, weighted });
  const when = (condition: boolean, text: string): string => (condition ? text : "");
  return defineKernel({
    label: "softmax_region_gradient",
    enable: rowEnable(layout),
    read: {
      ...(!inPlace && { logits: "array<f32>" }),
      labels: "array<u32>",
      slopes: "array<f32>",
      ...(weighted && { classWeights: "array<f32>" }),
      ...(counts && { counts: "array<f32>" }),
      ...(timesDy && { dy: "array<f32>" }),
    },
    write: { dlogits: "array<f32>" },
    params: {
      rows: u32(pixels),
      extent: u32(classes),
      ...(ignores && { ignored: u32(ignoreLabel) }),
      ...(withEntropy && { scale: f32(crossEntropyScale), ...entropy.truthParams }),
    },
    workgroups: rowGrid(target, layout, pixels),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    let label = min(load_labels(row), params.extent - 1u);
    ${when(ignores, "let counted = load_labels(row) != params.ignored;")}
    ${holdRow(layout, logits)}
    ${row.largest}
    ${row.total}
    let share = 1.0 / total;
    let slopeOfLabel = load_slopes(label);
    // The mean of the slopes by the probabilities, which add up to 1.
    var mean = 0.0;
    ${row.each((value, i) => `mean += ${row.exponential(value)} * load_slopes(params.extent + ${i});`)}
    ${row.reduceSum("mean")}
    mean = (mean + exp(ofLabel - largest) * slopeOfLabel) * share;
    if (inside) {
      ${when(withEntropy, `let factor = params.scale${entropy.timesWeight}${when(counts, " / max(load_counts(0), 1.0)")};`)}
      ${row.each((value, i) => {
        const entropySlope = when(withEntropy, ` + (probability - ${entropy.truth(i)}) * factor`);
        const slope = `(probability * (slope - mean)${entropySlope})${when(timesDy, " * load_dy(0)")}`;
        return `{
        let probability = ${row.exponential(value)} * share;
        let slope = load_slopes(params.extent + ${i}) + select(0.0, slopeOfLabel, ${i} == label);
        store_dlogits(begin + ${i}, ${ignores ? `select(0.0, ${slope}, counted)` : slope}); }`;
      })}
    }`,
    ),
  });
}
