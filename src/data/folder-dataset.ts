import { CLASS_COUNT, readClassNames } from "./class-names.ts";
import { mapConcurrently } from "./concurrency.ts";
import { DataError } from "./data-error.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import { decodePair } from "./decode.ts";
import { findPairs } from "./pairs.ts";
import type { Pair } from "./pairs.ts";
import { resizeBilinear, resizeNearest } from "./resize.ts";
import { DEFAULT_CACHE_BYTES, SampleCache } from "./sample-cache.ts";

export interface FolderOptions {
  /** Height and width of the samples, in pixels. */
  imageSize: number;
  /** Number of classes, background included; 59 unless told otherwise. */
  classes?: number;
  /**
   * How masks are resized. "nearest" (the default) keeps to the mask's own classes; "bilinear" interpolates
   * class numbers and truncates them, which invents classes along edges: for comparison with models trained so.
   */
  maskInterpolation?: "nearest" | "bilinear";
  /** Bytes of resized samples to keep in memory. */
  cacheBytes?: number;
}

/** Pairs of photos and masks in `folder/images` and `folder/masks`, of any size, squeezed into a square. */
export class FolderDataset implements SegmentationDataset {
  readonly size: number;
  readonly imageSize: number;
  readonly classNames: readonly string[];
  readonly names: readonly string[];
  readonly pairs: readonly Pair[];
  readonly #cache: SampleCache;

  private constructor(pairs: Pair[], classNames: string[], options: FolderOptions) {
    const { imageSize, cacheBytes = DEFAULT_CACHE_BYTES } = options;
    this.pairs = pairs;
    this.size = pairs.length;
    this.names = pairs.map((pair) => pair.name);
    this.classNames = classNames;
    this.imageSize = imageSize;
    this.#cache = new SampleCache((index) => readSample(this.pairs[index], options), imageSize, cacheBytes);
  }

  /**
   * Lists the pairs; decodes none of them.
   * @throws DataError when the folder is not as `findPairs` and `readClassNames` want it.
   */
  static async open(folder: string, options: FolderOptions): Promise<FolderDataset> {
    const pairs = await findPairs(folder);
    return new FolderDataset(pairs, await readClassNames(folder, options.classes), options);
  }

  async load(index: number): Promise<Sample> {
    if (!(index in this.pairs)) throw new DataError(`There is no photo ${index} among ${this.size}.`);
    return this.#cache.load(index);
  }

  /**
   * Reads samples ahead of time, all of them unless `indices` says which: training then waits for no disk, and
   * a file that cannot be used comes to light before anything is written.
   * @throws DataError as `load` does; the signal's reason when it is aborted.
   */
  async readAll(
    options: { indices?: readonly number[]; signal?: AbortSignal; onProgress?: (done: number) => void } = {},
  ): Promise<void> {
    const { indices = [...this.pairs.keys()], signal, onProgress } = options;
    let done = 0;
    await mapConcurrently(indices, async (index) => {
      signal?.throwIfAborted();
      await this.load(index);
      onProgress?.(++done);
    });
  }
}

async function readSample(pair: Pair, options: FolderOptions): Promise<Sample> {
  const { imageSize, classes = CLASS_COUNT, maskInterpolation = "nearest" } = options;
  const { photo, mask } = await decodePair(pair, classes);
  const size = { width: imageSize, height: imageSize };
  return {
    image: resizeBilinear(photo.pixels, photo, 3, size, 1 / 255),
    mask:
      maskInterpolation === "nearest"
        ? resizeNearest(mask.labels, mask, size)
        : Uint8Array.from(resizeBilinear(mask.labels, mask, 1, size)),
  };
}
