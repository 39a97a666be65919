import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { crossEntropyText } from "./text/cross-entropy.ts";
import type { CrossEntropyKind } from "./text/cross-entropy.ts";
import { holdRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";
import { softmaxRow } from "./text/softmax-row.ts";

/** What {@link softmaxCrossEntropy} writes: at least one of the first three. */
export interface CrossEntropyParts extends CrossEntropyKind {
  /** `losses` `[pixels]`: log Σ exp(logit) − the label's logit. */
  readonly losses?: boolean;
  /** `correct` `[pixels]`: 1 where the largest logit, of equal ones the first, is that of the label, else 0. */
  readonly correct?: boolean;
  /** `dlogits` `[pixels, classes]`: (softmax − one-hot label) times this factor. */
  readonly gradientScale?: number;
  /** Whether `dlogits` is also multiplied by `dy` `[1]`, the gradient of the loss. */
  readonly timesDy?: boolean;
  /** Whether `dlogits` holds the logits at first and is written over them; there is no `logits` then. */
  readonly inPlace?: boolean;
  /**
   * Pixels with exactly this label have loss 0, count as not correct and have gradient 0, whatever their logits. `dlogits` is
   * then also divided by `counts` `[1]`, the number of the other pixels.
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * Above 0, without smoothing: loss and gradient of the focal loss (1 − p)^γ · −log p, where p is the label's probability
   * (Lin et al. 2017).
   */
  readonly focusing?: number;
}

/**
 * Cross-entropy of the softmax of each pixel's logits with its label, its gradient and whether the label is the
 * likeliest class, all from one reading of `logits` `[pixels, classes]` and `labels` `[pixels]` (u32). A label beyond the
 * classes counts as the last class in the loss and is never correct.
 */
export function softmaxCrossEntropy(
  target: KernelTarget,
  pixels: number,
  classes: number,
  {
    losses = false,
    correct = false,
    gradientScale,
    timesDy = false,
    inPlace = false,
    ignoreLabel,
    focusing = 0,
    ...kind
  }: CrossEntropyParts,
): Kernel {
  const layout = rowLanes(target, classes);
  const gradient = gradientScale !== undefined;
  const weighted = (kind.weighted ?? false) && (losses || gradient);
  const ignores = ignoreLabel !== undefined;
  const smooths = (kind.labelSmoothing ?? 0) > 0;
  const focuses = focusing > 0 && (losses || gradient);
  // In place too: a lane reads and writes no value but its own.
  const logits = inPlace ? "dlogits" : "logits";
  const row = softmaxRow(layout, logits, {
    ofLabel: losses || focuses,
    found: correct,
    logitSum: smooths && losses,
    others: focuses,
  });
  const when = (condition: boolean, text: string): string => (condition ? text : "");
  /** A value that is 0 for a pixel that does not count. */
  const counted = (value: string): string => (ignores ? `select(0.0, ${value}, counted)` : value);

  const entropy = crossEntropyText(classes, { ...kind, weighted });
  const loss = focuses ? `focus * entropy${entropy.timesWeight}` : entropy.loss;
  // A probability that rounds to 1 has neither loss nor gradient, and no logarithm of 0.
  const findFocus = /* wgsl */ `
    let entropy = log(total) + (largest - ofLabel);
    let miss = max(others / total, 1e-30);
    let focus = pow(miss, params.focusing);
    let slope = focus + params.focusing * (focus / miss) * (1.0 - miss) * entropy;`;
  const storeLoss = /* wgsl */ `
    if (inside && lane == 0u) {
      store_losses(row, ${counted(loss)});
    }`;

  const storeCorrect = /* wgsl */ `${row.found}
    if (inside && lane == 0u) { store_correct(row, ${counted("select(0.0, 1.0, found == load_labels(row))")}); }`;

  const storeGradient = /* wgsl */ `
    if (inside) {
      let share = 1.0 / total;
      let factor = params.scale${when(timesDy, " * load_dy(0)")}${entropy.timesWeight}${when(ignores, " / max(load_counts(0), 1.0)")}${when(focuses, " * slope")};
      ${row.each((value, i) => {
        const slope = `(${row.exponential(value)} * share - ${entropy.truth(i)}) * factor`;
        return `store_dlogits(begin + ${i}, ${counted(slope)});`;
      })}
    }`;

  return defineKernel({
    label: gradient ? "softmax_cross_entropy_with_gradient" : "softmax_cross_entropy",
    enable: rowEnable(layout),
    read: {
      ...(!inPlace && { logits: "array<f32>" }),
      labels: "array<u32>",
      ...(weighted && { classWeights: "array<f32>" }),
      ...(gradient && ignores && { counts: "array<f32>" }),
      ...(timesDy && { dy: "array<f32>" }),
    },
    write: {
      ...(losses && { losses: "array<f32>" }),
      ...(correct && { correct: "array<f32>" }),
      ...(gradient && { dlogits: "array<f32>" }),
    },
    params: {
      rows: u32(pixels),
      extent: u32(classes),
      ...(gradient && { scale: f32(gradientScale) }),
      ...(ignores && { ignored: u32(ignoreLabel) }),
      ...(losses && entropy.lossParams),
      ...(gradient && entropy.truthParams),
      ...(focuses && { focusing: f32(focusing) }),
    },
    workgroups: rowGrid(target, layout, pixels),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    let label = min(load_labels(row), params.extent - 1u);
    ${when(ignores, "let counted = load_labels(row) != params.ignored;\n    ")}${holdRow(layout, logits)}
    ${row.largest}
    ${when(losses || gradient, row.total)}${when(focuses, findFocus)}
    ${when(losses, storeLoss)}
    ${when(correct, storeCorrect)}
    ${when(gradient, storeGradient)}`,
    ),
  });
}
