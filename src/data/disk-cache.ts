import { createHash, randomBytes } from "node:crypto";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { mapConcurrently } from "./concurrency.ts";
import { makeFolder } from "../files/make-folder.ts";
import { messageOf } from "../message-of.ts";
import type { Sample } from "./dataset.ts";
import type { Size } from "./resize.ts";
import { readIndex, readRecord, writeIndex, writeRecord } from "./sample-file.ts";
import type { Origin, SampleIndex } from "./sample-file.ts";

export interface DiskCacheOptions {
  /** Where the file goes; made when there is something to write. */
  folder: string;
  /** How the file's name begins, for people who look into the folder. */
  name: string;
  /** All that the samples depend on beside their own files; another key is another file. */
  key: string;
  imageSize: Size;
  /** The samples that there are; the file keeps no others. */
  ids: readonly string[];
  /** Told once, in a sentence, when the cache cannot be written. */
  onWarning?: ((sentence: string) => void) | undefined;
}

/**
 * Resized samples in one file, bit by bit as they were made. Nothing that happens to the file is an error: what is
 * not there, damaged or out of date is not found, and what cannot be written is not kept. Any number of processes
 * may use the same file: it is only ever replaced as a whole.
 */
export class DiskCache {
  readonly path: string;
  readonly #options: DiskCacheOptions;
  #index: Promise<SampleIndex> | undefined;

  constructor(options: DiskCacheOptions) {
    const digest = createHash("sha256").update(options.key).digest("hex").slice(0, 16);
    this.path = join(options.folder, `${options.name}-${digest}.samples`);
    let warned = false;
    const onWarning = (sentence: string): void => {
      if (!warned) options.onWarning?.(sentence);
      warned = true;
    };
    this.#options = { ...options, onWarning };
  }

  /** The sample `id` and what else is known of it, if it is kept and was made of files of that stamp. */
  async read(id: string, stamp: string): Promise<(Omit<Origin, "stamp"> & { sample: Sample }) | undefined> {
    const records = await this.#records();
    const record = records.get(id);
    if (record?.stamp !== stamp) return undefined;
    const sample = await readRecord(this.path, record, this.#options.imageSize);
    // Forgotten, so that `extend` takes it anew.
    if (sample === undefined) records.delete(id);
    return sample && { sample, remarks: record.remarks, contents: record.contents };
  }

  /**
   * Lets `work` add samples, then puts the file with them, and with what it had before, in the old one's place. So
   * it does when `work` fails: what was made until then need not be made again.
   */
  async extend<T>(work: (add: AddSample) => Promise<T>): Promise<T> {
    const update = new Update(this.path, this.#options, await this.#records());
    try {
      return await work((id, origin, sample) => update.add(id, origin, sample));
    } finally {
      const index = await update.finish();
      if (index !== undefined) this.#index = Promise.resolve(index);
    }
  }

  #records(): Promise<SampleIndex> {
    return (this.#index ??= readIndex(this.path, this.#options.key));
  }
}

/** Keeps a sample unless it is kept already. */
export type AddSample = (id: string, origin: Origin, sample: Sample) => Promise<void>;

/** A new file under a temporary name, begun with the first sample that the old one lacks. */
class Update {
  readonly #path: string;
  readonly #options: DiskCacheOptions;
  readonly #old: SampleIndex;
  readonly #new: SampleIndex = new Map();
  readonly #temporary: string;
  readonly #places: ReadonlyMap<string, number>;
  #file: Promise<FileHandle> | undefined;
  #failed = false;

  constructor(path: string, options: DiskCacheOptions, old: SampleIndex) {
    this.#path = path;
    this.#options = options;
    this.#old = old;
    this.#temporary = `${path}.${randomBytes(6).toString("hex")}${TEMPORARY}`;
    this.#places = new Map(options.ids.map((id, place) => [id, place]));
  }

  async add(id: string, origin: Origin, sample: Sample): Promise<void> {
    if (this.#old.get(id)?.stamp === origin.stamp) return;
    await this.#attempt(() => this.#write(id, origin, sample));
  }

  /** The new file's index, once it is in place; undefined when there is nothing new or it could not be written. */
  async finish(): Promise<SampleIndex | undefined> {
    if (this.#file === undefined) return undefined;
    await this.#attempt(async () => {
      const { key, imageSize } = this.#options;
      const kept = [...this.#old].filter(([id]) => this.#places.has(id) && !this.#new.has(id));
      await mapConcurrently(kept, async ([id, record]) => {
        const sample = await readRecord(this.#path, record, imageSize);
        if (sample !== undefined) await this.#write(id, record, sample);
      });
      const file = await this.#file!;
      await writeIndex(file, this.#new, { key, places: this.#places.size, imageSize });
      await file.close();
      await rename(this.#temporary, this.#path);
    });
    return this.#failed ? undefined : this.#new;
  }

  async #write(id: string, origin: Origin, sample: Sample): Promise<void> {
    const file = await (this.#file ??= this.#begin());
    this.#new.set(id, await writeRecord(file, this.#places.get(id)!, sample, origin));
  }

  async #begin(): Promise<FileHandle> {
    await makeFolder(dirname(this.#path));
    await removeAbandoned(this.#path);
    return open(this.#temporary, "wx");
  }

  /** Does a step of the writing; the first that fails ends it. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    if (this.#failed) return;
    try {
      await step();
    } catch (error) {
      if (this.#failed) return;
      this.#failed = true;
      const file = await this.#file?.catch(() => undefined);
      await file?.close().catch(() => undefined);
      await rm(this.#temporary, { force: true }).catch(() => undefined);
      this.#options.onWarning?.(
        `The resized photos cannot be kept in ${dirname(this.#path)} (${messageOf(error)}): the next run will ` +
          `decode them again unless you make room there, make it writable or name another folder.`,
      );
    }
  }
}

const TEMPORARY = ".tmp";
const HOUR_MS = 3_600_000;

/** Removes what a killed process left: temporary files into which nothing was written for an hour. */
async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    if (!file.startsWith(path) || !name.endsWith(TEMPORARY)) continue;
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > HOUR_MS) await rm(file, { force: true }).catch(() => undefined);
  }
}
