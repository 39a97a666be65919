import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";
import { holdRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";
import { softmaxRow } from "./text/softmax-row.ts";

/** Errors are rounded to multiples of 1 / this. */
export const ERROR_STEPS = 2 ** 14;
/** Errors that there are: from 0 to 1. */
export const ERRORS = ERROR_STEPS + 1;

/** Counters of {@link errorHistogram}; the last one is for pixels whose softmax is not finite. */
export const errorCounters = (classes: number): number => 2 * ERRORS * classes + 1;

/** WGSL of the rounded error of a probability. */
export const errorText = (error: string): string =>
  `min(u32(round(${error} * ${ERROR_STEPS}.0)), ${ERROR_STEPS}u)`;

/** `histogram = 0`, for {@link errorHistogram} to begin with. */
export function clearHistogram(target: KernelTarget, classes: number): Kernel {
  return perItemKernel(target, errorCounters(classes), {
    label: "clear_lovasz_histogram",
    read: {},
    write: { histogram: "array<u32>" },
    body: "store_histogram(index, 0u);",
  });
}

/**
 * Adds to `histogram` `[classes, ERRORS, 2]` (u32), and one counter more, how many pixels have each error of each class: first
 * those of the class, whose error is 1 − p, then all others, whose error is p, the probability of the class by the softmax of `logits`
 * `[pixels, classes]`. Of the latter those of error 0 are not counted: most pixels are of that kind, and their number is known
 * from the others. `labels` `[pixels]` (u32); a label beyond the classes counts as the last class. The last counter counts pixels
 * whose softmax is not finite.
 *
 * Sums of integers do not depend on their order, so the atomic additions give the same bits each time.
 *
 * @param options.correct also writes `correct` `[pixels]`: 1 where the largest logit, of equal ones the first, is that of the label, else 0.
 * @param options.ignoreLabel pixels with exactly this label are not counted, and not correct.
 */
export function errorHistogram(
  target: KernelTarget,
  pixels: number,
  classes: number,
  { correct = false, ignoreLabel }: { readonly correct?: boolean; readonly ignoreLabel?: number | undefined },
): Kernel {
  const layout = rowLanes(target, classes);
  const ignores = ignoreLabel !== undefined;
  const row = softmaxRow(layout, "logits", { found: correct });
  const isCorrect = `found == load_labels(row)${ignores ? " && counted" : ""}`;
  return defineKernel({
    label: "lovasz_histogram",
    enable: rowEnable(layout),
    read: { logits: "array<f32>", labels: "array<u32>" },
    write: { histogram: "array<atomic<u32>>", ...(correct && { correct: "array<f32>" }) },
    params: { rows: u32(pixels), extent: u32(classes), ...(ignores && { ignored: u32(ignoreLabel) }) },
    workgroups: rowGrid(target, layout, pixels),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    let label = min(load_labels(row), params.extent - 1u);
    ${ignores ? "let counted = load_labels(row) != params.ignored;" : ""}
    ${holdRow(layout, "logits")}
    ${row.largest}
    ${row.total}
    ${correct ? `${row.found}\n    if (inside && lane == 0u) { store_correct(row, select(0.0, 1.0, ${isCorrect})); }` : ""}
    if (inside${ignores ? " && counted" : ""}) {
      // By its bits, as a compiler may take a comparison for one of numbers.
      if (lane == 0u && (bitcast<u32>(total) & 0x7f800000u) == 0x7f800000u) {
        atomicAdd(&histogram[${2 * ERRORS}u * params.extent], 1u);
      }
      let share = 1.0 / total;
      ${row.each(
        (value, i) => `{
        let probability = ${row.exponential(value)} * share;
        let isLabel = ${i} == label;
        let error = ${errorText("select(probability, 1.0 - probability, isLabel)")};
        if (isLabel || error > 0u) {
          atomicAdd(&histogram[2u * ((${i}) * ${ERRORS}u + error) + select(1u, 0u, isLabel)], 1u);
        } }`,
      )}
    }`,
    ),
  });
}
