import type { Precision } from "../config/index.ts";
import type { Photo } from "../data/photo.ts";
import type { Size } from "../data/resize.ts";
import type { Model } from "./model.ts";

/** What became of a photo. */
export interface Labelled {
  /** `[height, width]` of the photo, the likeliest class of each pixel. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** What the network said, `[height, width, classes]` of the model's image size; null where it was asked more than once. */
  readonly logits: Float32Array | null;
}

/** What a network says of a photo. */
export interface Scored {
  /** `[size.height, size.width, classes]`; `maskFromLogits` makes the photo's mask of them. */
  readonly scores: Float32Array;
  readonly size: Size;
  /** As {@link Labelled.logits}; `scores` themselves, perhaps. */
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
  /** Why a photo of this size cannot be labelled, as the end of a sentence that begins with its name; null where it can. */
  problemOf?(photo: Size): string | null;
  /**
   * Labels at most {@link photosAtOnce} photos of any size. A photo that is seen in windows may take long: the signal ends that
   * after the windows in hand.
   *
   * @throws ModelError when the network gives something else than finite numbers; the signal's reason; GpuError.
   */
  label(photos: readonly Photo[], signal?: AbortSignal): Promise<Labelled[]>;
  /** As {@link label}, without the masks, for another thread to make; there only where masks are made of scores. Throws as it does. */
  score?(photos: readonly Photo[], signal?: AbortSignal): Promise<Scored[]>;
  destroy(): void;
}
