import { availableParallelism } from "node:os";
import { WorkerLostError, WorkerPool } from "../data/worker-pool.ts";
import { makeOutputs } from "./outputs.ts";
import type { Outputs, OutputsJob } from "./outputs.ts";

/** Each waits much of the time for what is compressed outside of JavaScript's threads, so there are two where there is one core, too. */
const FEWEST = 2;
const MOST = 8;

/** Makes the files of photos, in worker threads once they are started, and on the thread it is called on until then. */
export class OutputThreads {
  /** Photos whose files are made at the same time. */
  readonly count = Math.max(FEWEST, Math.min(MOST, availableParallelism()));
  #pool: WorkerPool<OutputsJob, Outputs> | undefined;

  /** Starts the threads, where there are none; they may take seconds to come up. */
  start(): void {
    this.#pool ??= new WorkerPool(new URL("./outputs-worker.mjs", import.meta.url), this.count);
  }

  /** Whether a thread is up. */
  get ready(): boolean {
    return this.#pool?.ready ?? false;
  }

  async make(job: OutputsJob): Promise<Outputs> {
    if (!this.#pool?.ready) return makeOutputs(job);
    const [own, transfer] = ownArrays(job);
    try {
      return await this.#pool.run(own, transfer);
    } catch (error) {
      // Its memory may not have sufficed.
      if (error instanceof WorkerLostError) return makeOutputs(job);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }
}

/** A job whose arrays are copies that can be handed over: those it has may lie in memory that others have a part of, or that is native. */
function ownArrays(job: OutputsJob): [job: OutputsJob, transfer: ArrayBuffer[]] {
  const copies = new Map<Uint8Array | Float32Array, Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>();
  const own = <Values extends Uint8Array | Float32Array>(values: Values): Values => {
    const copy =
      copies.get(values) ??
      (values instanceof Float32Array ? new Float32Array(values) : new Uint8Array(values));
    copies.set(values, copy);
    return copy as unknown as Values;
  };
  const { photo, labels, logits } = job;
  const copied: OutputsJob = {
    ...job,
    photo: { ...photo, pixels: own(photo.pixels) },
    labels: "mask" in labels ? { mask: own(labels.mask) } : { ...labels, scores: own(labels.scores) },
    logits: logits && { ...logits, values: own(logits.values) },
  };
  return [copied, [...copies.values()].map(({ buffer }) => buffer)];
}
