import type { Photo } from "../data/photo.ts";
import type { OutputThreads } from "./output-threads.ts";
import type { Outputs, OutputsJob } from "./outputs.ts";
import type { OutputSink } from "./output-sink.ts";
import { outputNames } from "./output-sink.ts";
import type { PhotoToLabel } from "./photo-to-label.ts";
import { Room } from "./room.ts";
import type { StageClock } from "./stage-clock.ts";

/** A photo that the network has seen. */
export interface SeenPhoto {
  readonly from: PhotoToLabel;
  readonly photo: Photo;
  readonly job: OutputsJob;
}

export interface FinishingOptions {
  readonly threads: OutputThreads;
  readonly sink: OutputSink;
  readonly encoding: StageClock;
  readonly writing: StageClock;
  /** When it is aborted, photos that are not being written yet are left out. */
  readonly signal: AbortSignal;
  /** Told of each photo whose files are made, so that its pixels are needed no longer. */
  readonly onMade: (photo: Photo) => void;
  /** Told of each photo whose files are written, in the order of the photos. */
  readonly onWritten: (seen: SeenPhoto, outputs: Outputs) => void;
  /** Told of a photo that could not be finished, in the same order. What it throws ends everything. */
  readonly onFailure: (seen: SeenPhoto, error: unknown) => void;
  /** Told when something that was thrown has ended everything. */
  readonly onEnded: (error: unknown) => void;
}

/**
 * Makes the files of photos, of as many at a time as there are threads, and writes them in the order of the photos: one photo's files after
 * another's, or those of as many photos at a time as the sink takes.
 */
export class Finishing {
  readonly #options: FinishingOptions;
  readonly #room = new Room();
  /** Photos that were taken and are not finished; of these, those whose files are being made. */
  #inHand = 0;
  #making = 0;
  #stopped = false;
  /** The ends of the last photos, as many as may be written at a time. */
  #ends: readonly Promise<void>[] = [];

  constructor(options: FinishingOptions) {
    this.#options = options;
  }

  /**
   * Resolves when there are no more photos in hand than `most`, by default as many as keep the threads busy while others come; at once after
   * a failure.
   */
  async room(most = this.#options.threads.count): Promise<void> {
    while (!this.#stopped && this.#inHand > most) await this.#room.change();
  }

  /** Takes a photo. */
  add(seen: SeenPhoto): void {
    this.#follow((place, before) => this.#finish(seen, place, before));
  }

  /** Says something in its turn, when all photos before have been told of. */
  tell(say: () => void): void {
    this.#follow(async (_, before) => {
      await before;
      say();
    });
  }

  /**
   * Waits for the photos that were taken.
   *
   * @throws what a callback did; the signal's reason where a photo was left out.
   */
  async end(): Promise<void> {
    await Promise.all(this.#ends);
  }

  /** Leaves out the photos that are not being written yet, and waits for those that are. */
  async abandon(): Promise<void> {
    this.#stop();
    await Promise.allSettled(this.#ends);
  }

  /** @param work gets what it may be written after, and what it may be told of after. */
  #follow(work: (place?: Promise<void>, before?: Promise<void>) => Promise<void>): void {
    const { sink, onEnded } = this.#options;
    const { photosAtOnce = 1 } = sink;
    const end = work(this.#ends.at(-photosAtOnce), this.#ends.at(-1));
    end.catch((error: unknown) => {
      this.#stop();
      onEnded(error);
    });
    this.#ends = [...this.#ends, end].slice(-photosAtOnce);
  }

  async #finish(seen: SeenPhoto, place?: Promise<void>, before?: Promise<void>): Promise<void> {
    const { writing, signal, onWritten, onFailure } = this.#options;
    this.#inHand += 1;
    try {
      const outcome = await this.#attempt(async () => {
        const outputs = await this.#make(seen);
        await place;
        if (outputs === null || this.#isOver()) return null;
        await writing.time(() => this.#write(seen, outputs));
        return outputs;
      });
      await before;
      if (outcome === null) return signal.throwIfAborted();
      if ("error" in outcome) onFailure(seen, outcome.error);
      else onWritten(seen, outcome);
    } finally {
      this.#inHand -= 1;
      this.#room.changed();
    }
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | { readonly error: unknown }> {
    try {
      return await work();
    } catch (error) {
      return { error };
    }
  }

  /** Null where it is not needed any more. */
  async #make({ photo, job }: SeenPhoto): Promise<Outputs | null> {
    const { threads, encoding, onMade } = this.#options;
    while (!this.#isOver() && this.#making >= threads.count) await this.#room.change();
    if (this.#isOver()) return null;
    this.#making += 1;
    try {
      return await encoding.time(() => threads.make(job));
    } finally {
      this.#making -= 1;
      onMade(photo);
      this.#room.changed();
    }
  }

  async #write({ from }: SeenPhoto, { files }: Outputs): Promise<void> {
    const { sink } = this.#options;
    const names = outputNames(from.stem);
    await sink.remove(names.shares);
    for (const [name, bytes] of files) await sink.put(names[name], bytes);
  }

  #isOver(): boolean {
    return this.#stopped || this.#options.signal.aborted;
  }

  #stop(): void {
    this.#stopped = true;
    this.#room.changed();
  }
}
