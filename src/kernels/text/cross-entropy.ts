import { f32 } from "../kernel.ts";
import type { Uniform } from "../kernel.ts";

/** How the cross-entropy of a pixel is weighed, and what its truth is. */
export interface CrossEntropyKind {
  /** Whether it is multiplied by the weight of the label, from `classWeights` `[classes]`. */
  readonly weighted?: boolean;
  /**
   * Above 0: the truth is not one-hot, but 1 − s of it and s spread evenly over all classes (Szegedy et al. 2016; Keras's
   * `label_smoothing`).
   */
  readonly labelSmoothing?: number;
}

/** WGSL of a pixel's cross-entropy, for kernels on a `softmaxRow`. */
export interface CrossEntropyText {
  /** The loss, of `largest`, `total`, `ofLabel` and, where truths are smoothed, `logitSum`. */
  readonly loss: string;
  /** What `loss` needs in the uniform block. */
  readonly lossParams: Record<string, Uniform>;
  /** The truth of class `i`, which the gradient takes from its probability. */
  readonly truth: (i: string) => string;
  /** What `truth` needs in the uniform block. */
  readonly truthParams: Record<string, Uniform>;
  /** Multiplies by the weight of the label, or nothing. */
  readonly timesWeight: string;
}

export function crossEntropyText(
  classes: number,
  { weighted = false, labelSmoothing = 0 }: CrossEntropyKind,
): CrossEntropyText {
  const timesWeight = weighted ? " * load_classWeights(label)" : "";
  if (labelSmoothing === 0) {
    return {
      loss: `(log(total) + (largest - ofLabel))${timesWeight}`,
      lossParams: {},
      truth: (i) => `select(0.0, 1.0, ${i} == label)`,
      truthParams: {},
      timesWeight,
    };
  }
  const off = labelSmoothing / classes;
  const logit = "mix(ofLabel, logitSum / f32(params.extent), params.smoothing)";
  return {
    loss: `(log(total) + (largest - ${logit}))${timesWeight}`,
    lossParams: { smoothing: f32(labelSmoothing) },
    truth: (i) => `select(params.off, params.on, ${i} == label)`,
    truthParams: { on: f32(1 - labelSmoothing + off), off: f32(off) },
    timesWeight,
  };
}
