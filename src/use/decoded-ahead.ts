import { DataError } from "../data/data-error.ts";
import { openPhoto } from "../data/photo.ts";
import type { Photo } from "../data/photo.ts";
import { Later, Prefetcher } from "../data/prefetch.ts";
import type { Remark } from "../data/remarks.ts";
import type { PhotoToLabel } from "./photo-to-label.ts";
import { Room } from "./room.ts";
import type { StageClock } from "./stage-clock.ts";

/** A photo that is read and decoded, or the sentence that says why it cannot be. */
export type Decoded = { readonly from: PhotoToLabel } & (
  { readonly photo: Photo; readonly remarks: readonly Remark[] } | { readonly sentence: string }
);

/** Of photos at their full size: beyond it none is decoded but those that the network waits for. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Reads and decodes photos ahead of who asks for them, several at a time, in their order: two batches, or one alone where photos are so
 * large that they would take more than 256 MiB with all that are still held.
 */
export class DecodedAhead {
  readonly #batch: number;
  readonly #mostBytes: number;
  readonly #photos: Prefetcher<Decoded>;
  readonly #source: Iterator<PhotoToLabel> | AsyncIterator<PhotoToLabel>;
  readonly #clock: StageClock;
  readonly #signal: AbortSignal;
  readonly #room = new Room();
  /** Begun, and not yet asked for. */
  #ahead = 0;
  /** Of these, begun, and of a size that is not known yet. */
  #unknown = 0;
  #held = 0;
  #largest = 0;
  #ended = false;

  /** @param batch photos that are asked for before one of them is {@link release}d */
  constructor(
    photos: Iterable<PhotoToLabel> | AsyncIterable<PhotoToLabel>,
    {
      batch,
      clock,
      signal,
      mostBytes = MOST_BYTES,
    }: { batch: number; clock: StageClock; signal: AbortSignal; mostBytes?: number },
  ) {
    this.#source =
      Symbol.asyncIterator in photos ? photos[Symbol.asyncIterator]() : photos[Symbol.iterator]();
    this.#batch = batch;
    this.#mostBytes = mostBytes;
    this.#clock = clock;
    this.#signal = signal;
    this.#photos = new Prefetcher(() => this.#begin(), { ahead: 2 * batch, eager: true, signal });
  }

  /**
   * The next photo; undefined when there is none left.
   *
   * @throws what the iteration of the photos throws, or reading one that is no DataError; the signal's reason.
   */
  async next(): Promise<Decoded | undefined> {
    const { value } = await this.#photos.next();
    if (value !== undefined) {
      this.#ahead -= 1;
      this.#room.changed();
    }
    return value;
  }

  /** Whether so much is held that those who hold photos had better be done with them before they take others. */
  get isTight(): boolean {
    return this.#held > this.#mostBytes;
  }

  /** Tells that a photo is held no longer. */
  release({ pixels }: Photo): void {
    this.#held -= pixels.byteLength;
    this.#room.changed();
  }

  /** Ends reading, and the iteration of the photos where it has not ended itself. */
  async end(): Promise<void> {
    const ended = this.#ended;
    this.#ended = true;
    this.#room.changed();
    await this.#photos.return();
    if (!ended) await this.#source.return?.();
  }

  async #begin(): Promise<Later<Decoded> | undefined> {
    while (!this.#ended && this.#ahead >= this.#batch && !this.#hasMemory()) await this.#room.change();
    if (this.#ended) return undefined;
    const next = await this.#source.next();
    if (next.done === true) {
      this.#ended = true;
      return undefined;
    }
    const from = next.value;
    this.#ahead += 1;
    this.#unknown += 1;
    return new Later(this.#clock.time(() => this.#decode(from)));
  }

  #hasMemory(): boolean {
    return this.#largest > 0 && this.#held + (this.#unknown + 1) * this.#largest <= this.#mostBytes;
  }

  async #decode(from: PhotoToLabel): Promise<Decoded> {
    try {
      const opened = await openPhoto(await from.read(this.#signal), from.photo);
      const decoded = await opened.decode();
      const bytes = decoded.photo.pixels.byteLength;
      this.#held += bytes;
      this.#largest = Math.max(this.#largest, bytes);
      return { from, ...decoded };
    } catch (error) {
      if (error instanceof DataError) return { from, sentence: error.message };
      throw error;
    } finally {
      this.#unknown -= 1;
      this.#room.changed();
    }
  }
}
