import type { Precision } from "../config/index.ts";
import type { Photo } from "../data/photo.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Model } from "./model.ts";
import { Predictor } from "./predictor.ts";
import { SlidingPredictor } from "./sliding-predictor.ts";
import type { Tta } from "./views.ts";

/** What became of a photo. */
export interface Labelled {
  /** `[height, width]` of the photo, the likeliest class of each pixel. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** What the network said, `[imageSize, imageSize, classes]`; null where it was asked more than once. */
  readonly logits: Float32Array | null;
}

/** A trained network that is ready to label photos. */
export interface Labeller {
  readonly model: Model;
  readonly precision: Precision;
  /** Photos that are labelled at once. */
  readonly photosAtOnce: number;
  /** How the network looks at a photo, in a few words. */
  readonly view: string;
  /** Bytes that it holds on the GPU. */
  readonly bytes: number;
  /**
   * Labels at most {@link photosAtOnce} photos of any size.
   *
   * @throws ModelError when the network gives something else than finite numbers; GpuError.
   */
  label(photos: readonly Photo[]): Promise<Labelled[]>;
  destroy(): void;
}

export interface LabellerOptions {
  /** Photos, or windows, at once; as many as suit the size by default. */
  readonly batchSize?: number | undefined;
  readonly precision: Precision;
  /**
   * Side of the windows in which the network sees a photo at its own resolution, or `"whole"`, all of the photo at once; null:
   * the photo squeezed into the size that the network was trained at.
   */
  readonly window: number | "whole" | null;
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
