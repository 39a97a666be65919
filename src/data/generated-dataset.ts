import { CLOTHING_CLASSES } from "./class-names.ts";
import { DataError } from "./data-error.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import { printSize, toSize } from "../image-size.ts";
import type { ImageSize } from "../image-size.ts";
import { drawFigure } from "./people/figure.ts";
import type { Size } from "./resize.ts";
import { DEFAULT_CACHE_BYTES, SampleCache } from "./sample-cache.ts";
import { share } from "./shared-sample.ts";

/** What is drawn. */
export interface GeneratedOptions {
  /** Number of samples. */
  size: number;
  /** Of the samples; each side 16 or more. */
  imageSize: ImageSize;
  /** Decides every picture; 0 by default. */
  seed?: number;
  /** Bytes of samples to keep in memory. */
  cacheBytes?: number;
}

/**
 * A data set without files: drawn people in clothes of the 59 classes on varied backgrounds, with exact masks.
 * Sample `index` is a pure function of (seed, index, imageSize).
 */
export class GeneratedDataset implements SegmentationDataset {
  readonly size: number;
  readonly imageSize: Size;
  readonly classNames: readonly string[] = CLOTHING_CLASSES;
  readonly ignores = false;
  readonly names: readonly string[];
  readonly #cache: SampleCache;

  /** @throws DataError for an image size below 16 or a size below 1. */
  constructor(options: GeneratedOptions) {
    const { size, seed = 0, cacheBytes = DEFAULT_CACHE_BYTES } = options;
    const imageSize = toSize(options.imageSize);
    if (!Object.values(imageSize).every((side) => Number.isInteger(side) && side >= 16)) {
      throw new DataError(
        `Pictures of ${printSize(imageSize)} pixels cannot be drawn: give a whole number from 16 up.`,
      );
    }
    if (!Number.isInteger(size) || size < 1) {
      throw new DataError(`A generated data set of ${size} pictures is none: give a whole number from 1 up.`);
    }
    this.size = size;
    this.imageSize = imageSize;
    this.names = Array.from({ length: size }, (_, index) => `generated-${String(index).padStart(4, "0")}`);
    this.#cache = new SampleCache(
      (index) => Promise.resolve().then(() => share(drawFigure(seed, index, imageSize))),
      imageSize,
      cacheBytes,
    );
  }

  async load(index: number): Promise<Sample> {
    if (!(index >= 0 && index < this.size)) {
      throw new DataError(`There is no generated picture ${index} among ${this.size}.`);
    }
    return this.#cache.load(index);
  }
}
