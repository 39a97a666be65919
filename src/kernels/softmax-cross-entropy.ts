import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { eachOfRow, holdRow, reduceRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";

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
    ...parts
  }: CrossEntropyParts,
): Kernel {
  const layout = rowLanes(target, classes);
  const gradient = gradientScale !== undefined;
  const weighted = (parts.weighted ?? false) && (losses || gradient);
  // In place too: a lane reads and writes no value but its own.
  const logits = inPlace ? "dlogits" : "logits";
  const each = (text: (value: string, i: string) => string): string => eachOfRow(layout, logits, text);
  const reduceSum = (variable: string): string => reduceRow(layout, variable, (a, b) => `${a} + ${b}`);
  const when = (condition: boolean, text: string): string => (condition ? text : "");
  /** exp(logit − largest) of a value: a held one has been replaced by it. */
  const exponential = (value: string): string => (layout.held > 0 ? value : `exp(${value} - largest)`);

  const findLargest = /* wgsl */ `
    var largest = load_${logits}(begin + lane);
    var found = lane;
    var ofLabel = 0.0;
    ${each(
      (value, i) => `{ let value = ${value};
      ${when(correct, `found = select(found, ${i}, value > largest);`)}
      ${when(losses, `ofLabel = select(ofLabel, value, ${i} == label);`)}
      largest = max(largest, value); }`,
    )}
    let largestOfLane = largest;
    ${reduceRow(layout, "largest", (a, b) => `max(${a}, ${b})`)}
    ${when(losses, reduceSum("ofLabel"))}`;

  const sum = /* wgsl */ `
    var total = 0.0;
    ${each((value) => {
      if (layout.held === 0) return `total += ${exponential(value)};`;
      return `${value} = exp(${value} - largest); total += ${value};`;
    })}
    ${reduceSum("total")}`;

  const storeLoss = /* wgsl */ `
    if (inside && lane == 0u) {
      store_losses(row, (log(total) + (largest - ofLabel))${when(weighted, " * load_classWeights(label)")});
    }`;

  const storeCorrect = /* wgsl */ `
    found = select(params.extent, found, largestOfLane == largest);
    ${reduceRow(layout, "found", (a, b) => `min(${a}, ${b})`)}
    if (inside && lane == 0u) { store_correct(row, select(0.0, 1.0, found == load_labels(row))); }`;

  const storeGradient = /* wgsl */ `
    if (inside) {
      let share = 1.0 / total;
      let factor = params.scale${when(timesDy, " * load_dy(0)")}${when(weighted, " * load_classWeights(label)")};
      ${each(
        (value, i) =>
          `store_dlogits(begin + ${i}, (${exponential(value)} * share - select(0.0, 1.0, ${i} == label)) * factor);`,
      )}
    }`;

  return defineKernel({
    label: gradient ? "softmax_cross_entropy_with_gradient" : "softmax_cross_entropy",
    enable: rowEnable(layout),
    read: {
      ...(!inPlace && { logits: "array<f32>" }),
      labels: "array<u32>",
      ...(weighted && { classWeights: "array<f32>" }),
      ...(timesDy && { dy: "array<f32>" }),
    },
    write: {
      ...(losses && { losses: "array<f32>" }),
      ...(correct && { correct: "array<f32>" }),
      ...(gradient && { dlogits: "array<f32>" }),
    },
    params: { rows: u32(pixels), extent: u32(classes), ...(gradient && { scale: f32(gradientScale) }) },
    workgroups: rowGrid(target, layout, pixels),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    let label = min(load_labels(row), params.extent - 1u);
    ${holdRow(layout, logits)}
    ${findLargest}
    ${when(losses || gradient, sum)}
    ${when(losses, storeLoss)}
    ${when(correct, storeCorrect)}
    ${when(gradient, storeGradient)}`,
    ),
  });
}
