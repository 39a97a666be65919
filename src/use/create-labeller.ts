import type { Precision } from "../config/index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { ImageSize } from "../image-size.ts";
import type { Labeller } from "./labeller.ts";
import type { Model } from "./model.ts";
import { Predictor } from "./predictor.ts";
import { SlidingPredictor } from "./sliding-predictor.ts";
import type { Tta } from "./views.ts";

export interface LabellerOptions {
  /** Photos, or windows, at once; as many as suit the size by default. */
  readonly batchSize?: number | undefined;
  readonly precision: Precision;
  /**
   * Size of the windows in which the network sees a photo at its own resolution, or `"whole"`, all of the photo at once; null:
   * the photo squeezed into the size that the network was trained at.
   */
  readonly window: ImageSize | "whole" | null;
  /** Share of a window that it has in common with the next, from 0 to below 1. */
  readonly overlap: number;
  /** Test-time augmentation. */
  readonly tta: readonly Tta[];
}

/** @throws as {@link Predictor.create} and {@link SlidingPredictor.create} do. */
export function createLabeller(gpu: Gpu, model: Model, options: LabellerOptions): Promise<Labeller> {
  const { window, ...others } = options;
  return window === null
    ? Predictor.create(gpu, model, others)
    : SlidingPredictor.create(gpu, model, { ...others, window });
}
