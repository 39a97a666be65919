import type { Sample } from "./dataset.ts";
import type { Size } from "./resize.ts";

/** Keeps samples in memory after their first load, up to a limit; later ones are made anew each time. */
export class SampleCache {
  readonly #make: (index: number) => Promise<Sample>;
  readonly #kept = new Map<number, Promise<Sample>>();
  readonly #capacity: number;

  /**
   * @param size of a sample, which is 13 bytes a pixel.
   * @param limit bytes that may be kept.
   */
  constructor(make: (index: number) => Promise<Sample>, { height, width }: Size, limit: number) {
    this.#make = make;
    this.#capacity = Math.floor(limit / (height * width * 13));
  }

  /** Sample `index` if it is kept or being made. */
  kept(index: number): Promise<Sample> | undefined {
    return this.#kept.get(index);
  }

  /** Whether one more sample may be kept. */
  get hasRoom(): boolean {
    return this.#kept.size < this.#capacity;
  }

  /** Keeps sample `index`, made elsewhere, as far as the limit allows. */
  keep(index: number, sample: Sample): void {
    if (this.hasRoom && !this.#kept.has(index)) this.#kept.set(index, Promise.resolve(sample));
  }

  /** Sample `index`; loads of the same sample at the same time share one reading. */
  load(index: number): Promise<Sample> {
    const kept = this.#kept.get(index);
    if (kept !== undefined) return kept;
    const sample = this.#make(index);
    if (this.hasRoom) {
      this.#kept.set(index, sample);
      // A failure is not kept, so that a file mended meanwhile can be read.
      sample.catch(() => this.#kept.delete(index));
    }
    return sample;
  }
}

/** Bytes of samples kept in memory by default: some 5,000 of 128 × 128 pixels. */
export const DEFAULT_CACHE_BYTES = 2 ** 30;
