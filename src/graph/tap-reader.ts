/** @file What the taps of a program have updated, on its way to the host while the GPU works on the rest. */
import type { Gpu } from "../gpu/gpu.ts";
import { StagingRing } from "../gpu/readback.ts";
import { rangesOf } from "./taps.ts";
import type { Tap } from "./taps.ts";
import type { Variables, VariableValues } from "./variables.ts";

/** What a run may be told besides what to compute. */
export interface RunOptions {
  /**
   * Called with what each of `Goals.taps` has updated, by the names of the variables or of the parts of stacked ones, as soon as it is
   * there, in the order of the taps; meanwhile the GPU works on the rest. The run is over when all calls are. While four of them
   * are not, what leads to the next tap is not submitted: until then run nothing else that uses its variables.
   */
  readonly tapped?: Tapped | undefined;
  /**
   * Called where an op has work for the host (`Op.onHost`), with what that is and the numbers that the op has computed; they are replaced by
   * those that it returns, and the run goes on. Nothing behind it is submitted before: until the run is over run nothing else that
   * uses its variables. Without it nothing is done to them.
   */
  readonly onHost?:
    ((what: string, numbers: readonly Float32Array[]) => Promise<readonly Float32Array[]>) | undefined;
}

type Tapped = (name: string, values: ReadonlyMap<string, VariableValues>) => void | Promise<void>;

/** Taps of a run that may be on their way to the host, or in its hands, at a time: each has a staging buffer. */
export const TAPS_AHEAD = 4;

/** Reads the taps of one program, through a ring of staging buffers. */
export class TapReader {
  readonly #taps: ReadonlyMap<string, Tap>;
  readonly #variables: Variables;
  readonly #staging: StagingRing;

  constructor(gpu: Gpu, taps: ReadonlyMap<string, Tap>, variables: Variables) {
    this.#taps = taps;
    this.#variables = variables;
    this.#staging = new StagingRing(gpu, TAPS_AHEAD);
  }

  /** Begins a run that hands over its taps. */
  follow(tapped: Tapped): FollowedRun {
    return new FollowedRun(tapped, (encoder, name) =>
      this.#variables.recordRead(this.#staging, encoder, rangesOf(this.#taps.get(name)!)),
    );
  }

  destroy(): void {
    this.#staging.destroy();
  }
}

type Read = () => Promise<ReadonlyMap<string, VariableValues>>;

/** One run that hands over its taps. */
export class FollowedRun {
  readonly #tapped: Tapped;
  readonly #record: (encoder: GPUCommandEncoder, name: string) => Read;
  #handedOver: Promise<unknown> = Promise.resolve();
  readonly #all: Promise<void>[] = [];
  #over = 0;

  constructor(tapped: Tapped, record: (encoder: GPUCommandEncoder, name: string) => Read) {
    this.#tapped = tapped;
    this.#record = record;
  }

  /** Null where one more tap may be recorded; otherwise to be waited for before. */
  get room(): Promise<void> | null {
    const calls = this.#all.length;
    return calls - this.#over < TAPS_AHEAD ? null : this.#all[calls - TAPS_AHEAD];
  }

  /** Records the copy of a tap; the function that is returned is to be called behind the submission. */
  record(encoder: GPUCommandEncoder, name: string): () => void {
    const read = this.#record(encoder, name);
    return () => {
      const [values, before] = [read(), this.#handedOver];
      const handedOver = Promise.all([values, before]).then(([all]) => ({ call: this.#tapped(name, all) }));
      this.#handedOver = handedOver;
      const over = handedOver.then(async ({ call }) => {
        await call;
        this.#over++;
      });
      // Whoever waits for `end` hears of it.
      over.catch(() => undefined);
      this.#all.push(over);
    };
  }

  /**
   * Waits until all calls are over.
   *
   * @throws what one of them has thrown; GpuError when the device failed.
   */
  async end(): Promise<void> {
    await Promise.all(this.#all);
  }
}
