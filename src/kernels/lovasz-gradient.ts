import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { ERRORS, errorText } from "./lovasz-histogram.ts";
import { holdRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";
import { softmaxRow } from "./text/softmax-row.ts";

/** See {@link lovaszGradient}. */
export interface LovaszGradientParts {
  /** Whether it is multiplied by `dy` `[1]`, the gradient of the loss. */
  readonly timesDy?: boolean;
  /** Whether `dlogits` holds the logits at first and is written over them; there is no `logits` then. */
  readonly inPlace?: boolean;
  /** Pixels with exactly this label have gradient 0, whatever their logits. */
  readonly ignoreLabel?: number | undefined;
}

/**
 * The gradient of the Lovász-Softmax loss by the logits, `dlogits` `[pixels, classes]`: of the softmax of `logits`
 * `[pixels, classes]`, `labels` `[pixels]` (u32) and the `weights` `[classes, ERRORS, 2]` of the errors (`lovaszWeights`).
 */
export function lovaszGradient(
  target: KernelTarget,
  pixels: number,
  classes: number,
  { timesDy = false, inPlace = false, ignoreLabel }: LovaszGradientParts,
): Kernel {
  const layout = rowLanes(target, classes);
  const ignores = ignoreLabel !== undefined;
  // In place too: a lane reads and writes no value but its own.
  const logits = inPlace ? "dlogits" : "logits";
  const row = softmaxRow(layout, logits, {});
  return defineKernel({
    label: "lovasz_gradient",
    enable: rowEnable(layout),
    read: {
      ...(!inPlace && { logits: "array<f32>" }),
      labels: "array<u32>",
      weights: "array<f32>",
      ...(timesDy && { dy: "array<f32>" }),
    },
    write: { dlogits: "array<f32>" },
    params: { rows: u32(pixels), extent: u32(classes), ...(ignores && { ignored: u32(ignoreLabel) }) },
    workgroups: rowGrid(target, layout, pixels),
    body: /* wgsl */ `
/** The loss's derivative by the probability of class i: an error falls with it where the pixel is of the class. */
fn slope(i: u32, probability: f32, isLabel: bool) -> f32 {
  let error = ${errorText("select(probability, 1.0 - probability, isLabel)")};
  let weight = load_weights(2u * (i * ${ERRORS}u + error) + select(1u, 0u, isLabel));
  return select(weight, -weight, isLabel);
}
${rowMain(
  layout,
  /* wgsl */ `
    let begin = row * params.extent;
    let label = min(load_labels(row), params.extent - 1u);
    ${ignores ? "let counted = load_labels(row) != params.ignored;" : ""}
    ${holdRow(layout, logits)}
    ${row.largest}
    ${row.total}
    let share = 1.0 / total;
    // The mean of the slopes by the probabilities, which add up to 1.
    var mean = 0.0;
    ${row.each(
      (value, i) => `{
      let probability = ${row.exponential(value)} * share;
      mean += probability * slope(${i}, probability, ${i} == label); }`,
    )}
    ${row.reduceSum("mean")}
    if (inside) {
      ${row.each((value, i) => {
        const dlogit = `probability * (slope(${i}, probability, ${i} == label) - mean)${timesDy ? " * load_dy(0)" : ""}`;
        return `{
        let probability = ${row.exponential(value)} * share;
        store_dlogits(begin + ${i}, ${ignores ? `select(0.0, ${dlogit}, counted)` : dlogit}); }`;
      })}
    }`,
)}`,
  });
}
