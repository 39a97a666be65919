import type { Resize } from "./resizes.ts";
import type { Photo } from "./photo.ts";
import type { Size } from "./resize.ts";

/** In a mask, a pixel that does not count: it has no class that could be learned or judged. */
export const IGNORE = 255;

/** Most classes that a mask's numbers tell apart; one less where some pixels do not count. */
export const MOST_CLASSES = 256;

/**
 * One photo and its mask at the data set's image size, possibly in memory that worker threads see too. Samples are
 * shared: never write into one.
 */
export interface Sample extends Readonly<Size> {
  /** `[height, width, 3]`, RGB in [0, 1]. */
  readonly image: Float32Array;
  /** `[height, width]`, the class of each pixel; 255 where it does not count, in a data set that ignores. */
  readonly mask: Uint8Array;
}

/** A photo and its mask at the size that both have. */
export interface WholeSample {
  /** Its pixels, RGB. */
  readonly photo: Photo;
  /** `labels` `[height, width]`, the class of each pixel as in {@link Sample.mask}. */
  readonly mask: Size & { readonly labels: Uint8Array };
}

/** Photos and masks by index, all of them resized to one size. */
export interface SegmentationDataset {
  /** Number of samples. */
  readonly size: number;
  /** Of every sample. */
  readonly imageSize: Size;
  /** How photos of other shapes came to that size; "stretch" by default. */
  readonly resize?: Resize | undefined;
  /** The class that each number in a mask means. */
  readonly classNames: readonly string[];
  /** Whether 255 in a mask marks a pixel that does not count. Otherwise it is class 255. */
  readonly ignores: boolean;
  /** What each sample is called. */
  readonly names: readonly string[];
  /**
   * Sample `index`; the same arrays each time it is asked for, as far as memory allows.
   * @throws DataError (as a rejection) when its files cannot be used.
   */
  load(index: number): Promise<Sample>;
  /**
   * Photo and mask of sample `index` at their own size, read anew; none where samples are drawn at the image size.
   * @throws DataError (as a rejection) when its files cannot be used.
   */
  readonly atOwnSize?: ((index: number) => Promise<WholeSample>) | undefined;
}
