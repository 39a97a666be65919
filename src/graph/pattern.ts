/** @file What some ops say of themselves beyond how they run, so that `graph/fuse` can run several of them as one. */
import type { ActivationKind } from "../kernels/text/activation.ts";
import type { Tensor } from "./graph.ts";
import type { JoinedPart } from "./op.ts";
import type { WeightsPattern } from "./lowering/conv2d-products.ts";
import type { TapsPattern } from "./lowering/taps.ts";
import type { Norm } from "./lowering/batch-norm.ts";
import type { MovingStatistics } from "./ops/moving-statistics.ts";

export type Pattern =
  | TapsPattern
  | WeightsPattern
  | StandardizePattern
  | StandardizeGradientPattern
  | AffinePattern
  | AffineGradientPattern
  | BatchNormPattern
  | MovingStatisticsPattern
  | ActivationPattern
  | ActivationGradientPattern
  | ScaledPattern
  | SpreadPattern
  | PixelSumsPattern
  /** Elementwise. */
  | { readonly kind: "sum"; readonly terms: readonly Tensor[] }
  | { readonly kind: "concat"; readonly parts: readonly Tensor[] }
  /** Over all axes but the last. */
  | { readonly kind: "channelSum"; readonly x: Tensor }
  /** The channels from `begin` on. */
  | { readonly kind: "slice"; readonly x: Tensor; readonly begin: number }
  | { readonly kind: "joinParts"; readonly parts: readonly JoinedPart[] };

declare module "./graph-types.ts" {
  interface OpPatterns {
    readonly known: Pattern;
  }
}

/** x̂ = (x − mean)/sqrt(variance + ε), of the moments of x. */
export interface StandardizePattern {
  readonly kind: "standardize";
  readonly x: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly epsilon: number;
}

/** The gradient by x of {@link StandardizePattern}. */
export interface StandardizeGradientPattern {
  readonly kind: "standardizeGradient";
  readonly of: StandardizePattern;
}

/** z = activation(γ·x̂ + β). */
export interface AffinePattern {
  readonly kind: "affine";
  readonly normalized: Tensor;
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly activation: ActivationKind;
}

/** The gradients by x̂, γ and β, its outputs, of {@link AffinePattern}, from that of z. */
export interface AffineGradientPattern {
  readonly kind: "affineGradient";
  readonly of: AffinePattern;
  readonly dz: Tensor;
}

/** Moving statistics that follow the moments of a batch, of the batch norm whose result is `norm`. */
export interface MovingStatisticsPattern extends MovingStatistics {
  readonly kind: "movingStatistics";
}

/** f(x), elementwise. */
export interface ActivationPattern {
  readonly kind: "activation";
  readonly x: Tensor;
  readonly activation: ActivationKind;
}

/** The gradient by x of {@link ActivationPattern}, from that of its result. */
export interface ActivationGradientPattern {
  readonly kind: "activationGradient";
  readonly of: ActivationPattern;
  readonly dy: Tensor;
}

/** A batch norm with given statistics. */
export interface BatchNormPattern {
  readonly kind: "batchNorm";
  readonly norm: Norm;
  readonly epsilon: number;
  readonly activation: ActivationKind;
}

/** Each channel of each image of `x` `[N, H, W, C]` times a number of its own, of `factor` `[N, .., C]`. */
export interface ScaledPattern {
  readonly kind: "scaled";
  readonly x: Tensor;
  readonly factor: Tensor;
}

/** `scale` times `values` `[N, .., C]`, a number of each channel of each image, at every pixel of `[N, H, W, C]`. */
export interface SpreadPattern {
  readonly kind: "spread";
  readonly values: Tensor;
  readonly scale: number;
}

/** Σ x·factor over the pixels of each image, both `[N, H, W, C]`. */
export interface PixelSumsPattern {
  readonly kind: "pixelSums";
  readonly x: Tensor;
  readonly factor: Tensor;
}
