import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DataError } from "./data-error.ts";

/** The thread that had a job died, or none can be started. */
export class WorkerLostError extends Error {
  override readonly name = "WorkerLostError";
}

/** What a worker's file posts: "ready" once, then one answer for each job. */
type Reply<Result> = "ready" | { result: Result } | { refusal: string } | { error: unknown };

interface Task<Job, Result> {
  readonly job: Job;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Worker threads that take jobs in the order given, each one at a time. They keep the process alive only while they
 * have a job.
 */
export class WorkerPool<Job, Result> {
  readonly #workers = new Map<Worker, Task<Job, Result> | undefined>();
  readonly #idle: Worker[] = [];
  readonly #waiting: Task<Job, Result>[] = [];
  #closed = false;

  /**
   * Starts the threads without waiting for them. Those that do not come up are done without.
   * @param entry what a thread runs: JavaScript, which posts "ready", then `{ result }`, `{ refusal }` (the sentence of
   * a `DataError`) or `{ error }` for each message.
   */
  constructor(entry: URL, size: number) {
    for (let i = 0; i < size; i++) {
      try {
        // The parent's own arguments, a TypeScript loader perhaps, are not for the entry.
        this.#add(new Worker(entry, { execArgv: [] }));
      } catch {
        return;
      }
    }
  }

  /** Whether a thread has started and can be given jobs. */
  get ready(): boolean {
    return [...this.#workers].some(([worker, task]) => task !== undefined || this.#idle.includes(worker));
  }

  /**
   * @param transfer what is handed over to the thread instead of copied.
   * @throws (as a rejection) what the job threw; WorkerLostError when its thread died or there is none left; an
   * Error when the pool is closed.
   */
  run(job: Job, transfer: readonly ArrayBuffer[] = []): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(closed());
      else if (this.#workers.size === 0) reject(lost());
      else {
        this.#waiting.push({ job, transfer, resolve, reject });
        this.#assign();
      }
    });
  }

  /** Ends the threads, in the middle of a job too; it and those that wait are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#workers];
    this.#workers.clear();
    this.#idle.length = 0;
    for (const [, task] of workers) task?.reject(closed());
    for (const task of this.#waiting.splice(0)) task.reject(closed());
    await Promise.all(workers.map(([worker]) => worker.terminate()));
  }

  #add(worker: Worker): void {
    worker.on("message", (reply: Reply<Result>) => this.#settle(worker, reply));
    worker.on("messageerror", () => void worker.terminate());
    // An "exit" follows.
    worker.on("error", () => undefined);
    worker.on("exit", () => this.#remove(worker));
    worker.unref();
    this.#workers.set(worker, undefined);
  }

  #settle(worker: Worker, reply: Reply<Result>): void {
    if (!this.#workers.has(worker)) return;
    const task = this.#workers.get(worker);
    if (reply !== "ready" && task !== undefined) {
      if ("result" in reply) task.resolve(reply.result);
      else task.reject("refusal" in reply ? new DataError(reply.refusal) : reply.error);
      this.#workers.set(worker, undefined);
      worker.unref();
    }
    this.#idle.push(worker);
    this.#assign();
  }

  #assign(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const [worker, task] = [this.#idle.shift()!, this.#waiting.shift()!];
      try {
        worker.postMessage(task.job, task.transfer);
        worker.ref();
        this.#workers.set(worker, task);
      } catch (error) {
        this.#idle.push(worker);
        task.reject(error);
      }
    }
  }

  #remove(worker: Worker): void {
    const task = this.#workers.get(worker);
    this.#workers.delete(worker);
    const place = this.#idle.indexOf(worker);
    if (place >= 0) this.#idle.splice(place, 1);
    task?.reject(lost());
    if (this.#workers.size === 0) for (const waiting of this.#waiting.splice(0)) waiting.reject(lost());
  }
}

/** Threads that leave a core for the main one: 4 at most, and none on a single core. */
export const workerCount = (): number => Math.max(0, Math.min(4, availableParallelism() - 1));

const lost = (): WorkerLostError => new WorkerLostError("No worker thread is left.");
const closed = (): Error => new Error("The worker threads have been ended.");
