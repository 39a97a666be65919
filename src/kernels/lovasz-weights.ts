/**
 * @file From the histograms of errors to the Lovász-Softmax loss and what each error weighs in it, in three small kernels:
 * a scan over the errors of each class from the largest down, in blocks, without barriers.
 */
import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { ERROR_STEPS, ERRORS } from "./lovasz-histogram.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Errors that one invocation goes through. */
const BLOCK = 64;
/** Blocks of a class. */
export const ERROR_BLOCKS = Math.ceil(ERRORS / BLOCK);

/** WGSL: `class_`, `block`, and its errors, from `first` to below `end`. */
const BLOCK_TEXT = /* wgsl */ `
  let class_ = index / ${ERROR_BLOCKS}u;
  let block = index - class_ * ${ERROR_BLOCKS}u;
  let first = block * ${BLOCK}u;
  let end = min(first + ${BLOCK}u, ${ERRORS}u);`;

/** How many pixels a block of errors has: `histogram` (see `errorHistogram`) to `sums` `[classes, ERROR_BLOCKS, 2]`, u32. */
export function sumErrorBlocks(target: KernelTarget, classes: number): Kernel {
  return perItemKernel(target, classes * ERROR_BLOCKS, {
    label: "lovasz_block_sums",
    read: { histogram: "array<u32>" },
    write: { sums: "array<u32>" },
    body: /* wgsl */ `${BLOCK_TEXT}
  var ofClass = 0u;
  var others = 0u;
  for (var error = first; error < end; error++) {
    let at = 2u * (class_ * ${ERRORS}u + error);
    ofClass += load_histogram(at);
    others += load_histogram(at + 1u);
  }
  store_sums(2u * index, ofClass);
  store_sums(2u * index + 1u, others);`,
  });
}

/**
 * How many pixels have larger errors than those of a block: `sums` to `above`, both `[classes, ERROR_BLOCKS, 2]`; and how many
 * are of each class, `truths` `[classes]`; all u32.
 */
export function scanErrorBlocks(target: KernelTarget, classes: number): Kernel {
  return perItemKernel(target, classes, {
    label: "lovasz_scan",
    read: { sums: "array<u32>" },
    write: { above: "array<u32>", truths: "array<u32>" },
    body: /* wgsl */ `
  var ofClass = 0u;
  var others = 0u;
  for (var block = ${ERROR_BLOCKS}u; block > 0u; block--) {
    let at = 2u * (index * ${ERROR_BLOCKS}u + block - 1u);
    store_above(at, ofClass);
    store_above(at + 1u, others);
    ofClass += load_sums(at);
    others += load_sums(at + 1u);
  }
  store_truths(index, ofClass);`,
  });
}

/**
 * The weights of the errors, `weights` `[classes, ERRORS, 2]`: by how much the loss grows with an error of a pixel of the class,
 * and with that of another one. `losses` `[classes, ERROR_BLOCKS]` are what each block adds to the loss.
 *
 * Sorted from the largest down, an error weighs as much as the Jaccard loss of the pixels up to it grows by it: where G pixels
 * are of the class, and of those before it f are and b are not, by 1 / (G + b) if the pixel is of the class, and else by
 * (G − f) / ((G + b)·(G + b + 1)). Pixels of one error may stand in any order; the weights are the mean over that in which those of
 * the class come first and that in which they come last. Classes that have no pixel weigh nothing, and the sum is over the
 * number of the others.
 *
 * @param pixels how many pixels count; null where `counts` `[1]` (f32) says so.
 */
export function lovaszWeights(target: KernelTarget, classes: number, pixels: number | null): Kernel {
  return perItemKernel(target, classes * ERROR_BLOCKS, {
    label: "lovasz_weights",
    read: {
      histogram: "array<u32>",
      above: "array<u32>",
      truths: "array<u32>",
      ...(pixels === null && { counts: "array<f32>" }),
    },
    write: { losses: "array<f32>", weights: "array<f32>" },
    params: {
      classes: u32(classes),
      ...(pixels !== null && { pixels: u32(pixels) }),
      nan: f32(NaN),
    },
    body: /* wgsl */ `${BLOCK_TEXT}
  var present = 0.0;
  for (var i = 0u; i < params.classes; i++) { present += select(0.0, 1.0, load_truths(i) > 0u); }
  let truth = load_truths(class_);
  let scale = select(0.0, 1.0 / max(present, 1.0), truth > 0u);
  let pixels = ${pixels === null ? "u32(load_counts(0))" : "params.pixels"};
  var ofClass = load_above(2u * index);
  var others = load_above(2u * index + 1u);
  var loss = 0.0;
  for (var next = end; next > first; next--) {
    let error = next - 1u;
    let at = 2u * (class_ * ${ERRORS}u + error);
    let moreOfClass = load_histogram(at);
    // Those of error 0 are what is left.
    let moreOthers = select(load_histogram(at + 1u), max(pixels, truth + others) - truth - others, error == 0u);
    let before = max(f32(truth + others), 1.0);
    let after = max(f32(truth + others + moreOthers), 1.0);
    let weightOfClass = scale * 0.5 * (1.0 / before + 1.0 / after);
    let weightOfOthers = scale * (f32(truth - ofClass) - 0.5 * f32(moreOfClass)) / before / after;
    store_weights(at, weightOfClass);
    store_weights(at + 1u, weightOfOthers);
    loss += f32(error) / ${ERROR_STEPS}.0 * (f32(moreOfClass) * weightOfClass + f32(moreOthers) * weightOfOthers);
    ofClass += moreOfClass;
    others += moreOthers;
  }
  store_losses(index, select(loss, params.nan, load_histogram(${2 * ERRORS}u * params.classes) > 0u));`,
  });
}
