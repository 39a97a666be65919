import { realpath } from "node:fs/promises";
import { endianness } from "node:os";
import { basename, relative } from "node:path";
import type { MaskInterpolation } from "./augment/geometry.ts";
import { CLASS_COUNT, readClassNames } from "./class-names.ts";
import { mapConcurrently } from "./concurrency.ts";
import { DataError, together } from "./data-error.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import { decodePair } from "./decode.ts";
import { DiskCache } from "./disk-cache.ts";
import type { AddSample } from "./disk-cache.ts";
import { contentsOf } from "./pair-contents.ts";
import type { PairContents } from "./pair-contents.ts";
import { findPairs } from "./pairs.ts";
import type { Pair } from "./formats/format.ts";
import { sentencesOf } from "./remarks.ts";
import type { Remark } from "./remarks.ts";
import { resizeBilinear, resizeNearest } from "./resize.ts";
import { DEFAULT_CACHE_BYTES, SampleCache } from "./sample-cache.ts";
import type { Origin } from "./sample-file.ts";
import { share } from "./shared-sample.ts";
import { sharp } from "./sharp.ts";
import { stampOf } from "../files/stamp.ts";

export interface FolderOptions {
  /** Height and width of the samples, in pixels. */
  imageSize: number;
  /** Number of classes, background included; 59 by default. */
  classes?: number;
  /** Whether masks of formats that change numbers (JPEG, lossy WebP, AVIF) are taken; refused by default. */
  lossyMasks?: boolean;
  /** How masks are resized; "nearest" by default. */
  maskInterpolation?: MaskInterpolation;
  /** Bytes of resized samples to keep in memory. */
  cacheBytes?: number;
  /** Where `readAll` keeps resized samples from one run to the next; nowhere by default. */
  cacheFolder?: string | null;
  /**
   * Told, once and in a sentence each, what may not be as the user wants it: what the folder holds and is passed over; by `readAll`, what was decided in reading files
   * that can be read in two ways; when nothing can be written to `cacheFolder`.
   */
  onWarning?: (sentence: string) => void;
}

/** Pairs of photos and masks in `folder/images` and `folder/masks`, of any size, squeezed into a square. */
export class FolderDataset implements SegmentationDataset {
  readonly size: number;
  readonly imageSize: number;
  readonly classNames: readonly string[];
  readonly ignores = false;
  readonly names: readonly string[];
  readonly pairs: readonly Pair[];
  readonly #cache: SampleCache;
  /** What the samples are called on disk. */
  readonly #ids: readonly string[];
  readonly #disk: DiskCache | undefined;
  /** What a sample was made of, where its files could be looked at. */
  readonly #origins = new WeakMap<Sample, Origin>();
  /** What was decided for the samples read so far. */
  readonly #remarks = new Map<number, readonly Remark[]>();
  readonly #said = new Set<string>();
  readonly #onWarning: (sentence: string) => void;
  /** What the files of a sample held when it was read. */
  readonly #contents = new Map<number, PairContents>();

  private constructor(
    pairs: Pair[],
    classNames: string[],
    options: FolderOptions,
    ids: readonly string[],
    disk: DiskCache | undefined,
  ) {
    const { imageSize, cacheBytes = DEFAULT_CACHE_BYTES, onWarning = () => {} } = options;
    this.pairs = pairs;
    this.size = pairs.length;
    this.names = pairs.map((pair) => pair.name);
    this.classNames = classNames;
    this.imageSize = imageSize;
    this.#cache = new SampleCache((index) => this.#read(index, options), imageSize, cacheBytes);
    this.#ids = ids;
    this.#disk = disk;
    this.#onWarning = onWarning;
  }

  /**
   * Lists the pairs; decodes none of them.
   * @throws DataError when the folder is not as `findPairs` and `readClassNames` want it.
   */
  static async open(folder: string, options: FolderOptions): Promise<FolderDataset> {
    const pairs = await findPairs(folder, options.onWarning);
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
   * every file that cannot be used comes to light before anything is written.
   * @throws DataError as `load` does, one for all files that cannot be used; the signal's reason when it is aborted.
   */
  async readAll(
    options: { indices?: readonly number[]; signal?: AbortSignal; onProgress?: (done: number) => void } = {},
  ): Promise<void> {
    const { indices = [...this.pairs.keys()], signal, onProgress } = options;
    let done = 0;
    const faults = new Map<number, DataError>();
    const read = async (keep?: AddSample): Promise<void> => {
      await mapConcurrently(indices, async (index) => {
        signal?.throwIfAborted();
        const sample = await this.load(index).catch((error: unknown) => {
          if (!(error instanceof DataError)) throw error;
          faults.set(index, error);
        });
        const origin = sample && this.#origins.get(sample);
        if (origin !== undefined) await keep?.(this.#ids[index], origin, sample!);
        onProgress?.(++done);
      });
      if (faults.size > 0) throw together(inOrder(faults));
    };
    await (this.#disk === undefined ? read() : this.#disk.extend(read));
    this.#sayRemarks();
  }

  #sayRemarks(): void {
    const remarks = [...this.names].map((name, index) => [name, this.#remarks.get(index) ?? []] as const);
    for (const sentence of sentencesOf(remarks)) {
      if (!this.#said.has(sentence)) this.#onWarning(sentence);
      this.#said.add(sentence);
    }
  }

  /**
   * What the files of pair `index` held when they were read.
   * @throws DataError when they cannot be read.
   */
  async contents(index: number): Promise<PairContents> {
    const contents = this.#contents.get(index) ?? (await contentsOf(this.pairs[index]));
    this.#contents.set(index, contents);
    return contents;
  }

  async #read(index: number, options: FolderOptions): Promise<Sample> {
    const pair = this.pairs[index];
    // Before the files are read: one that changes meanwhile is then read anew the next time.
    const stamp = this.#disk && (await stampOf(pair.image, pair.mask));
    const kept = stamp === undefined ? undefined : await this.#disk?.read(this.#ids[index], stamp);
    const { sample: read, remarks } = kept ?? (await readSample(pair, options));
    const sample = share(read);
    this.#remarks.set(index, remarks);
    if (stamp === undefined) return sample;
    const contents = kept?.contents ?? (await contentsOf(pair));
    this.#contents.set(index, contents);
    this.#origins.set(sample, { stamp, remarks, contents });
    return sample;
  }
}

const inOrder = <T>(byIndex: ReadonlyMap<number, T>): T[] =>
  [...byIndex].sort(([a], [b]) => a - b).map(([, value]) => value);

async function readSample(
  pair: Pair,
  options: FolderOptions,
): Promise<{ sample: Sample; remarks: readonly Remark[] }> {
  const { imageSize, maskInterpolation = "nearest" } = options;
  const { photo, mask, remarks } = await decodePair(pair, options);
  const size = { width: imageSize, height: imageSize };
  const sample = {
    image: resizeBilinear(photo.pixels, photo, 3, size, 1 / 255),
    mask:
      maskInterpolation === "nearest"
        ? resizeNearest(mask.labels, mask, size)
        : Uint8Array.from(resizeBilinear(mask.labels, mask, 1, size)),
  };
  return { sample, remarks };
}

/** To be raised when decoding or resizing comes to give other numbers, or to refuse what it took, or more is kept of it. */
const SAMPLES_VERSION = 4;

async function diskCache(
  folder: string,
  ids: readonly string[],
  options: FolderOptions,
): Promise<DiskCache | undefined> {
  const { imageSize, classes = CLASS_COUNT, maskInterpolation = "nearest", lossyMasks = false } = options;
  const { cacheFolder, onWarning } = options;
  if (cacheFolder == null) return undefined;
  const path = await realpath(folder);
  const decoder = [sharp.versions.sharp, sharp.versions.vips, process.arch, endianness()];
  const rules = [maskInterpolation, classes, lossyMasks];
  const key = JSON.stringify([SAMPLES_VERSION, path, imageSize, ...rules, ...decoder]);
  const name = `${basename(path).slice(0, 60)}-${imageSize}`;
  return new DiskCache({ folder: cacheFolder, name, key, imageSize, ids, onWarning });
}
