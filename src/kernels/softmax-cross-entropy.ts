import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { holdRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";
import { softmaxRow } from "./text/softmax-row.ts";

/** What {@link softmaxCrossEntropy} writes: at least one of the first three. */
export interface CrossEntropyParts {
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
  /** Whether loss and gradient are multiplied by the weight of the label, from `classWeights` `[classes]`. */
  readonly weighted?: boolean;
  /**
   * Pixels with exactly this label have loss 0, count as not correct and have gradient 0, whatever their logits. `dlogits` is
   * then also divided by `counts` `[1]`, the number of the other pixels.
   */
  readonly ignoreLabel?: number | undefined;
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
    ...parts
  }: CrossEntropyParts,
): Kernel {
  const layout = rowLanes(target, classes);
  const gradient = gradientScale !== undefined;
  const weighted = (parts.weighted ?? false) && (losses || gradient);
  const ignores = ignoreLabel !== undefined;
  // In place too: a lane reads and writes no value but its own.
  const logits = inPlace ? "dlogits" : "logits";
  const row = softmaxRow(layout, logits, { ofLabel: losses, found: correct });
  const when = (condition: boolean, text: string): string => (condition ? text : "");
  /** A value that is 0 for a pixel that does not count. */
  const counted = (value: string): string => (ignores ? `select(0.0, ${value}, counted)` : value);

  const loss = `(log(total) + (largest - ofLabel))${when(weighted, " * load_classWeights(label)")}`;
  const storeLoss = /* wgsl */ `
    if (inside && lane == 0u) {
      store_losses(row, ${counted(loss)});
    }`;

  const storeCorrect = /* wgsl */ `${row.found}
    if (inside && lane == 0u) { store_correct(row, ${counted("select(0.0, 1.0, found == load_labels(row))")}); }`;

  const storeGradient = /* wgsl */ `
    if (inside) {
      let share = 1.0 / total;
      let factor = params.scale${when(timesDy, " * load_dy(0)")}${when(weighted, " * load_classWeights(label)")}${when(ignores, " / max(load_counts(0), 1.0)")};
      ${row.each((value, i) => {
        const slope = `(${row.exponential(value)} * share - select(0.0, 1.0, ${i} == label)) * factor`;
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
    },
    workgroups: rowGrid(target, layout, pixels),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    let label = min(load_labels(row), params.extent - 1u);
    ${when(ignores, "let counted = load_labels(row) != params.ignored;\n    ")}${holdRow(layout, logits)}
    ${row.largest}
    ${when(losses || gradient, row.total)}
    ${when(losses, storeLoss)}
    ${when(correct, storeCorrect)}
    ${when(gradient, storeGradient)}`,
    ),
  });
}
