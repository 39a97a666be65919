import { realpath } from "node:fs/promises";
import { endianness } from "node:os";
import { basename, relative } from "node:path";
import type { MaskInterpolation } from "./augment/geometry.ts";
import { CLASS_COUNT, readClassNames } from "./class-names.ts";
import { mapConcurrently } from "./concurrency.ts";
import { DataError } from "./data-error.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import { decodePair } from "./decode.ts";
import { DiskCache } from "./disk-cache.ts";
import type { AddSample } from "./disk-cache.ts";
import { findPairs } from "./pairs.ts";
import type { Pair } from "./pairs.ts";
import { resizeBilinear, resizeNearest } from "./resize.ts";
import { DEFAULT_CACHE_BYTES, SampleCache } from "./sample-cache.ts";
import { share } from "./shared-sample.ts";
import { sharp } from "./sharp.ts";
import { stampOf } from "../files/stamp.ts";

export interface FolderOptions {
  /** Height and width of the samples, in pixels. */
  imageSize: number;
  /** Number of classes, background included; 59 unless told otherwise. */
  classes?: number;
  /** How masks are resized; "nearest" unless told otherwise. */
  maskInterpolation?: MaskInterpolation;
  /** Bytes of resized samples to keep in memory. */
  cacheBytes?: number;
  /** Where `readAll` keeps resized samples from one run to the next; nowhere unless told otherwise. */
  cacheFolder?: string | null;
  /** Told once, in a sentence, when nothing can be written to `cacheFolder`. */
  onWarning?: (sentence: string) => void;
}

/** Pairs of photos and masks in `folder/images` and `folder/masks`, of any size, squeezed into a square. */
export class FolderDataset implements SegmentationDataset {
  readonly size: number;
  readonly imageSize: number;
  readonly classNames: readonly string[];
  readonly names: readonly string[];
  readonly pairs: readonly Pair[];
  readonly #cache: SampleCache;
  /** What the samples are called on disk. */
  readonly #ids: readonly string[];
  readonly #disk: DiskCache | undefined;
  /** Of which state of its files a sample was made. */
  readonly #stamps = new WeakMap<Sample, string>();

  private constructor(
    pairs: Pair[],
    classNames: string[],
    options: FolderOptions,
    ids: readonly string[],
    disk: DiskCache | undefined,
  ) {
    const { imageSize, cacheBytes = DEFAULT_CACHE_BYTES } = options;
    this.pairs = pairs;
    this.size = pairs.length;
    this.names = pairs.map((pair) => pair.name);
    this.classNames = classNames;
    this.imageSize = imageSize;
    this.#cache = new SampleCache((index) => this.#read(index, options), imageSize, cacheBytes);
    this.#ids = ids;
    this.#disk = disk;
  }

  /**
   * Lists the pairs; decodes none of them.
   * @throws DataError when the folder is not as `findPairs` and `readClassNames` want it.
   */
  static async open(folder: string, options: FolderOptions): Promise<FolderDataset> {
    const pairs = await findPairs(folder);
    const classNames = await readClassNames(folder, options.classes);
    const ids = pairs.map(({ image, mask }) => `${relative(folder, image)} ${relative(folder, mask)}`);
    return new FolderDataset(pairs, classNames, options, ids, await diskCache(folder, ids, options));
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
    const read = (keep?: AddSample): Promise<unknown> =>
      mapConcurrently(indices, async (index) => {
        signal?.throwIfAborted();
        const sample = await this.load(index);
        const stamp = this.#stamps.get(sample);
        if (stamp !== undefined) await keep?.(this.#ids[index], stamp, sample);
        onProgress?.(++done);
      });
    await (this.#disk === undefined ? read() : this.#disk.extend(read));
  }

  async #read(index: number, options: FolderOptions): Promise<Sample> {
    const pair = this.pairs[index];
    if (this.#disk === undefined) return share(await readSample(pair, options));
    // Before the files are read: one that changes meanwhile is then read anew the next time.
    const stamp = await stampOf(pair.image, pair.mask);
    if (stamp === undefined) return share(await readSample(pair, options));
    const kept = await this.#disk.read(this.#ids[index], stamp);
    const sample = share(kept ?? (await readSample(pair, options)));
    this.#stamps.set(sample, stamp);
    return sample;
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

/** To be raised when decoding or resizing comes to give other numbers. */
const SAMPLES_VERSION = 1;

async function diskCache(
  folder: string,
  ids: readonly string[],
  options: FolderOptions,
): Promise<DiskCache | undefined> {
  const { imageSize, classes = CLASS_COUNT, maskInterpolation = "nearest", cacheFolder, onWarning } = options;
  if (cacheFolder == null) return undefined;
  const path = await realpath(folder);
  const decoder = [sharp.versions.sharp, sharp.versions.vips, process.arch, endianness()];
  const key = JSON.stringify([SAMPLES_VERSION, path, imageSize, maskInterpolation, classes, ...decoder]);
  const name = `${basename(path).slice(0, 60)}-${imageSize}`;
  return new DiskCache({ folder: cacheFolder, name, key, imageSize, ids, onWarning });
}
