import { realpath } from "node:fs/promises";
import { endianness } from "node:os";
import { basename, relative } from "node:path";
import type { MaskInterpolation } from "./augment/geometry.ts";
import { CLOTHING_CLASSES } from "./class-names.ts";
import { isPlain, labellingRecord } from "./classes/labelling.ts";
import type { Labelling } from "./classes/labelling.ts";
import { openLabelling } from "./classes/open-labelling.ts";
import type { ClassOptions } from "./classes/open-labelling.ts";
import { mapConcurrently } from "./concurrency.ts";
import { DataError, together } from "./data-error.ts";
import { IGNORE } from "./dataset.ts";
import type { Sample, SegmentationDataset, WholeSample } from "./dataset.ts";
import { decodePair } from "./decode.ts";
import { DiskCache } from "./disk-cache.ts";
import type { AddSample } from "./disk-cache.ts";
import { fitMask, fitPhoto } from "./fit.ts";
import type { Resize } from "./resizes.ts";
import { contentsOf } from "./pair-contents.ts";
import type { PairContents } from "./pair-contents.ts";
import type { Pair } from "./formats/format.ts";
import type { FormatName } from "./formats/names.ts";
import { openSource } from "./formats/recognise.ts";
import { printSize, toSize } from "../image-size.ts";
import type { ImageSize } from "../image-size.ts";
import { sentencesOf } from "./remarks.ts";
import type { Remark } from "./remarks.ts";
import { resizeBilinear, resizeNearest } from "./resize.ts";
import type { Size } from "./resize.ts";
import { DEFAULT_CACHE_BYTES, SampleCache } from "./sample-cache.ts";
import type { Origin } from "./sample-file.ts";
import { share } from "./shared-sample.ts";
import { sharp } from "./sharp.ts";
import { stampOf } from "../files/stamp.ts";

/** Where a folder's samples come from and what becomes of them. */
export interface FolderOptions extends ClassOptions {
  /** Of the samples. */
  imageSize: ImageSize;
  /** How photos of other shapes come to that size; "stretch" by default. */
  resize?: Resize;
  /** The name of its format; recognised by default. */
  format?: FormatName | null;
  /** How masks are resized; "nearest" by default. "auto" is as the tutorial has it for its own classes, and nearest for others. */
  maskInterpolation?: MaskInterpolation | "auto";
  /** Bytes of resized samples to keep in memory. */
  cacheBytes?: number;
  /**
   * Told, once and in a sentence each, what may not be as the user wants it: what the folder holds and is passed over; by `readAll`, what was decided in reading files
   * that can be read in two ways; when nothing can be written to `cacheFolder`.
   */
  onWarning?: (sentence: string) => void;
}

/** Photos and their classes from disk, in any format of `formats/`, of any size, squeezed into one. */
export class FolderDataset implements SegmentationDataset {
  readonly size: number;
  readonly imageSize: Size;
  readonly resize: Resize;
  readonly classNames: readonly string[];
  readonly ignores: boolean;
  readonly names: readonly string[];
  /** The files of each sample. */
  readonly pairs: readonly Pair[];
  /** What a mask's numbers, colours or labels become. */
  readonly labelling: Labelling;
  /** How masks are resized. */
  readonly maskInterpolation: MaskInterpolation;
  /** Its format's name for sentences. */
  readonly format: string;
  readonly #cache: SampleCache;
  /** What the samples are called on disk. */
  readonly #ids: readonly string[];
  readonly #disk: DiskCache | undefined;
  /** What a sample was made of, where its files could be looked at. */
  readonly #origins = new WeakMap<Sample, Origin>();
  /** What was decided for the samples read so far. */
  readonly #remarks = new Map<number, readonly Remark[]>();
  readonly #said = new Set<string>();
  readonly #lossyMasks: boolean | undefined;
  readonly #onWarning: (sentence: string) => void;
  /** What the files of a sample held when it was read. */
  readonly #contents = new Map<number, PairContents>();
  /** Digests of files that hold the labels of many photos. */
  readonly #shared = new Map<string, Promise<string>>();

  private constructor(
    { pairs, format, labelling }: Opened,
    options: FolderOptions,
    ids: readonly string[],
    disk: DiskCache | undefined,
  ) {
    const { resize = "stretch", cacheBytes = DEFAULT_CACHE_BYTES, onWarning = () => {} } = options;
    this.pairs = pairs;
    this.format = format;
    this.labelling = labelling;
    this.maskInterpolation = interpolationOf(labelling, options);
    this.size = pairs.length;
    this.names = pairs.map((pair) => pair.name);
    this.classNames = labelling.classNames;
    this.ignores = labelling.ignores || resize === "letterbox";
    this.imageSize = toSize(options.imageSize);
    this.resize = resize;
    this.#cache = new SampleCache((index) => this.#read(index, options), this.imageSize, cacheBytes);
    this.#ids = ids;
    this.#disk = disk;
    this.#onWarning = onWarning;
    this.#lossyMasks = options.lossyMasks;
  }

  /**
   * Lists the photos and decides what the classes are; where only the masks can tell, looks them through. `path` is a folder,
   * or a file that a labelling tool wrote.
   *
   * @throws DataError when it is of no known format or not as its format wants it, as `openLabelling` does, and when class
   *   numbers are to be interpolated where some pixels do not count; the signal's reason.
   */
  static async open(path: string, options: FolderOptions): Promise<FolderDataset> {
    const { format: asked = null, onWarning = () => {} } = options;
    const { pairs, declared, format } = await openSource(path, asked, onWarning);
    const labelling = await openLabelling({ pairs, declared }, options, onWarning);
    if (interpolationOf(labelling, options) === "bilinear" && labelling.ignores) {
      throw new DataError(
        `Some pixels of ${path} do not count, and --mask-interpolation bilinear would mix their number with classes: use nearest.`,
      );
    }
    if (options.resize === "letterbox" && labelling.classNames.length > IGNORE) {
      throw new DataError(
        `With the ${labelling.classNames.length} classes of ${path} no number is left for the pixels around a photo that do not count: give ` +
          "--resize short-side, or merge classes with --label-map.",
      );
    }
    const within = (file: string): string => relative(path, file);
    const ids = pairs.map(({ image, mask, name }) => `${within(image)} ${within(mask)} ${name}`);
    const opened = { pairs, labelling, format: format.title };
    return new FolderDataset(opened, options, ids, await diskCache(path, ids, labelling, options));
  }

  async load(index: number): Promise<Sample> {
    if (!(index in this.pairs)) throw new DataError(`There is no photo ${index} among ${this.size}.`);
    return this.#cache.load(index);
  }

  async atOwnSize(index: number): Promise<WholeSample> {
    const { labelling } = this;
    return decodePair(this.pairs[index], { labelling, lossyMasks: this.#lossyMasks });
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
    const contents = this.#contents.get(index) ?? (await contentsOf(this.pairs[index], this.#shared));
    this.#contents.set(index, contents);
    return contents;
  }

  async #read(index: number, options: FolderOptions): Promise<Sample> {
    const pair = this.pairs[index];
    // Before the files are read: one that changes meanwhile is then read anew the next time.
    const stamp = this.#disk && (await stampOf(pair.image, pair.mask));
    const kept = stamp === undefined ? undefined : await this.#disk?.read(this.#ids[index], stamp);
    const { sample: read, remarks } = kept ?? (await readSample(pair, this, options));
    const sample = share(read);
    this.#remarks.set(index, remarks);
    if (stamp === undefined) return sample;
    const contents = kept?.contents ?? (await contentsOf(pair, this.#shared));
    this.#contents.set(index, contents);
    this.#origins.set(sample, { stamp, remarks, contents });
    return sample;
  }
}

function interpolationOf(
  { classNames, ignores }: Labelling,
  { maskInterpolation = "nearest" }: FolderOptions,
): MaskInterpolation {
  if (maskInterpolation !== "auto") return maskInterpolation;
  const isTutorial = !ignores && classNames.join() === CLOTHING_CLASSES.join();
  return isTutorial ? "bilinear" : "nearest";
}

/** What a data set's path turned out to hold. */
interface Opened {
  readonly pairs: readonly Pair[];
  readonly format: string;
  readonly labelling: Labelling;
}

const inOrder = <T>(byIndex: ReadonlyMap<number, T>): T[] =>
  [...byIndex].sort(([a], [b]) => a - b).map(([, value]) => value);

async function readSample(
  pair: Pair,
  {
    labelling,
    maskInterpolation,
    imageSize,
    resize,
  }: Pick<FolderDataset, "labelling" | "maskInterpolation" | "imageSize" | "resize">,
  { lossyMasks }: FolderOptions,
): Promise<{ sample: Sample; remarks: readonly Remark[] }> {
  const { photo, mask, remarks } = await decodePair(pair, { labelling, lossyMasks });
  const sample = {
    ...imageSize,
    image: fitPhoto(photo, 3, imageSize, resize),
    mask: fitMask(mask, imageSize, resize, maskInterpolation === "nearest" ? resizeNearest : truncated),
  };
  return { sample, remarks };
}

const truncated = (labels: Uint8Array, from: Size, to: Size): Uint8Array =>
  Uint8Array.from(resizeBilinear(labels, from, 1, to));

/** To be raised when decoding or resizing comes to give other numbers, or to refuse what it took, or more is kept of it. */
const SAMPLES_VERSION = 5;

async function diskCache(
  folder: string,
  ids: readonly string[],
  labelling: Labelling,
  options: FolderOptions,
): Promise<DiskCache | undefined> {
  const { lossyMasks = false, resize = "stretch" } = options;
  const imageSize = toSize(options.imageSize);
  const written = printSize(imageSize);
  const { cacheFolder, onWarning } = options;
  if (cacheFolder == null) return undefined;
  const path = await realpath(folder);
  const decoder = [sharp.versions.sharp, sharp.versions.vips, process.arch, endianness()];
  const classes = isPlain(labelling) ? labelling.classNames.length : labellingRecord(labelling);
  const fit = resize === "stretch" ? [] : [resize];
  const rules = [interpolationOf(labelling, options), classes, lossyMasks, ...fit];
  const key = JSON.stringify([SAMPLES_VERSION, path, written, ...rules, ...decoder]);
  const name = `${basename(path).slice(0, 60)}-${written}`;
  return new DiskCache({ folder: cacheFolder, name, key, imageSize, ids, onWarning });
}
