import { channelGrid, channelMain, LANES } from "./channel-grid.ts";
import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./per-item.ts";

export interface CrossEntropyOptions {
  /** Whether a pixel's loss is multiplied by the weight of its label: one more buffer, `classWeights` `[classes]`. */
  readonly weighted?: boolean;
}

const weightsBuffer = (weighted: boolean): Record<string, string> =>
  weighted ? { classWeights: "array<f32>" } : {};

/**
 * Cross-entropy of the softmax of each pixel's logits with its label: `logits` `[pixels, classes]`, `labels` `[pixels]`
 * (u32; a label beyond the classes counts as the last class) to `losses` `[pixels]` and `normalizers` `[pixels, 2]`,
 * the largest logit m and 1 / Σ exp(logit − m), of which the gradient makes the softmax in one pass.
 */
export function softmaxCrossEntropyForward(
  target: KernelTarget,
  pixels: number,
  classes: number,
  { weighted = false }: CrossEntropyOptions = {},
): Kernel {
  return perItemKernel(target, pixels, {
    label: "softmax_cross_entropy_forward",
    read: { logits: "array<f32>", labels: "array<u32>", ...weightsBuffer(weighted) },
    write: { losses: "array<f32>", normalizers: "array<vec2f>" },
    params: { classes: u32(classes) },
    body: /* wgsl */ `
  let begin = index * params.classes;
  let end = begin + params.classes;
  var largest = logits[begin];
  for (var i = begin + 1u; i < end; i++) { largest = max(largest, logits[i]); }
  var total = 0.0;
  for (var i = begin; i < end; i++) { total += exp(logits[i] - largest); }
  let label = min(labels[index], params.classes - 1u);
  losses[index] = log(total) + (largest - logits[begin + label]);
  normalizers[index] = vec2f(largest, 1.0 / total);${weighted ? "losses[index] *= classWeights[label];" : ""}`,
  });
}

/**
 * Gradient of the mean of {@link softmaxCrossEntropyForward}'s losses by the logits: (softmax − one-hot label) · `scale`
 * · `dy[0]`, where `scale` is 1 / pixels of the whole batch. `dlogits`: `[pixels, classes]`.
 */
export function softmaxCrossEntropyBackward(
  target: KernelTarget,
  pixels: number,
  classes: number,
  scale: number,
  { weighted = false }: CrossEntropyOptions = {},
): Kernel {
  const lanes = Math.min(classes, LANES);
  return defineKernel({
    label: "softmax_cross_entropy_backward",
    read: {
      logits: "array<f32>",
      labels: "array<u32>",
      normalizers: "array<vec2f>",
      dy: "array<f32>",
      ...weightsBuffer(weighted),
    },
    write: { dlogits: "array<f32>" },
    params: { rows: u32(pixels), channels: u32(lanes), classes: u32(classes), scale: f32(scale) },
    workgroups: channelGrid(target, pixels, lanes),
    body: channelMain(/* wgsl */ `
    let normalizer = normalizers[row];
    let label = min(labels[row], params.classes - 1u);
    let factor = params.scale * dy[0]${weighted ? " * classWeights[label]" : ""};
    let begin = row * params.classes;
    for (var i = channel; i < params.classes; i += params.channels) {
      let probability = exp(logits[begin + i] - normalizer.x) * normalizer.y;
      dlogits[begin + i] = (probability - select(0.0, 1.0, i == label)) * factor;
    }`),
  });
}
