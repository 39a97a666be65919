import { hostname } from "node:os";
import { MPI, MpiFunctions } from "./abi.ts";
import type { Collectives, Reducible, Reduction } from "./collectives.ts";
import { findMpi } from "./find-mpi.ts";
import { prepareHeap } from "./heap.ts";
import { refuseLostDescriptor } from "./lost-descriptor.ts";
import { MpiError } from "./mpi-error.ts";
import { STATUS_SOCKET, StatusTeller } from "./rank-status.ts";
import { startedRanks } from "./started-ranks.ts";

export interface CommunicatorOptions {
  /** Seconds that a rank waits for the others at a collective before it ends the run; 45 by default. */
  readonly deadline?: number;
  /** The same while ranks may be late; 900 by default. */
  readonly patience?: number;
  /** Told once what ended the run, by one of the ranks that know; then all ranks end. Written to stderr by default. */
  readonly say?: (sentence: string) => void;
}

/** Of a message that tells the others that its rank is still there, and waits. */
const LATE = 4711;

/** How long ranks that meet look for one another without a pause. */
const EAGER_MS = 0.5;

/** What a rank has said is handed on by `mpiexec`, which no longer does so when it is told to end the run. */
const HANDING_ON_MS = 500;

/** Of the deadline, and at least a second: how long after it ranks still hear of one another. */
const GRACE = 0.25;

const TYPES = [
  [Float32Array, MPI.FLOAT],
  [Float64Array, MPI.DOUBLE],
  [Uint32Array, MPI.UINT32_T],
] as const;

const REDUCTIONS: Readonly<Record<Reduction, number>> = { sum: MPI.SUM, min: MPI.MIN, max: MPI.MAX };

/**
 * All ranks of a run, `MPI_COMM_WORLD`. Collectives are called by every rank in the same order; one waits for the one before
 * it, so that they may be called without waiting. They work in threads, timers and the GPU go on meanwhile.
 *
 * Where a rank does not come to a collective in time, those that wait find out which one it is, say so, and end the run on all
 * ranks.
 */
export class Communicator implements Collectives {
  readonly rank: number;
  readonly size: number;
  /** The host of each rank. */
  hosts: readonly string[] = [];
  waitedMs = 0;
  patient = true;
  #at = "the start";
  readonly #status: StatusTeller | null;
  readonly #mpi: MpiFunctions;
  #patience: number;
  readonly #deadline: number;
  readonly #say: (sentence: string) => void;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(
    mpi: MpiFunctions,
    status: StatusTeller | null,
    { deadline = 45, patience = 900, say = toStderr }: CommunicatorOptions,
  ) {
    this.#mpi = mpi;
    this.#status = status;
    this.#deadline = deadline;
    this.#patience = patience;
    this.#say = say;
    this.rank = mpi.number("MPI_Comm_rank", MPI.COMM_WORLD);
    this.size = mpi.number("MPI_Comm_size", MPI.COMM_WORLD);
  }

  /**
   * Joins the ranks that were started with this process. To be called once in a process.
   *
   * @throws MpiError where there is no MPI, it does not let threads call it, or it is another one than that of the program that
   *   started the ranks.
   */
  static async join(options: CommunicatorOptions = {}): Promise<Communicator> {
    const { library } = await findMpi();
    const said = startedRanks();
    const socket = process.env[STATUS_SOCKET];
    const status = socket && said ? new StatusTeller(socket, said.rank) : null;
    refuseLostDescriptor();
    await prepareHeap();
    const mpi = await MpiFunctions.load(library);
    const provided = mpi.number("MPI_Init_thread", null, null, MPI.THREAD_MULTIPLE);
    if (provided < MPI.THREAD_MULTIPLE)
      throw new MpiError(
        `${library} lets one thread call it, and ranks wait in threads: use an MPI with MPI_THREAD_MULTIPLE.`,
      );
    mpi.call("MPI_Comm_set_errhandler", MPI.COMM_WORLD, MPI.ERRORS_RETURN);
    const ranks = new Communicator(mpi, status, options);
    if (said && said.size !== ranks.size) {
      throw new MpiError(
        `This process was started as one of ${said.size} ranks and ${library} sees ${ranks.size}: start it by the mpiexec of ` +
          `that MPI, or set BESPOKE_MPI to the one that started it.`,
      );
    }
    const names = await ranks.allGather("exchange of names", new TextEncoder().encode(hostname()));
    ranks.hosts = names.map((name) => new TextDecoder().decode(name));
    return ranks;
  }

  get at(): string {
    return this.#at;
  }

  set at(what: string) {
    this.#at = what;
    this.#status?.tell({ at: what });
  }

  /** Replaces `numbers` of each rank by what those of all become, the same bits on all ranks. Not to be touched meanwhile. */
  allReduce(what: string, numbers: Reducible, reduction: Reduction = "sum"): Promise<void> {
    const type = TYPES.find(([array]) => numbers instanceof array)![1];
    return this.#collective(what, () =>
      this.#mpi.wait(
        "MPI_Allreduce",
        ...[MPI.IN_PLACE, numbers, numbers.length, type, REDUCTIONS[reduction], MPI.COMM_WORLD],
      ),
    );
  }

  /** What each rank has to tell, of any length, in the order of the ranks. */
  async allGather(what: string, bytes: Uint8Array): Promise<Uint8Array[]> {
    await this.meet(what);
    const lengths = new Int32Array(this.size);
    const own = Int32Array.of(bytes.length);
    await this.#collective(what, () =>
      this.#mpi.wait("MPI_Allgather", own, 4, MPI.BYTE, lengths, 4, MPI.BYTE, MPI.COMM_WORLD),
    );
    const { begins, total } = beginsOf(lengths);
    const all = new Uint8Array(Math.max(total, 1));
    await this.#collective(what, () =>
      this.#mpi.wait(
        "MPI_Allgatherv",
        ...[bytes, bytes.length, MPI.BYTE, all, lengths, begins, MPI.BYTE, MPI.COMM_WORLD],
      ),
    );
    return Array.from(begins, (begin, i) => all.slice(begin, begin + lengths[i]));
  }

  async allToAll(
    what: string,
    bytes: Uint8Array,
    sent: readonly number[],
    received: readonly number[],
  ): Promise<Uint8Array> {
    const [to, from] = [beginsOf(sent), beginsOf(received)];
    const all = new Uint8Array(Math.max(from.total, 1));
    await this.#collective(what, () =>
      this.#mpi.wait(
        "MPI_Alltoallv",
        ...[bytes, Int32Array.from(sent), to.begins, MPI.BYTE],
        ...[all, Int32Array.from(received), from.begins, MPI.BYTE, MPI.COMM_WORLD],
      ),
    );
    return all.subarray(0, from.total);
  }

  gatherParts(what: string, bytes: Uint8Array, lengths: readonly number[]): Promise<void> {
    const { begins } = beginsOf(lengths);
    return this.#collective(what, () =>
      this.#mpi.wait(
        "MPI_Allgatherv",
        ...[MPI.IN_PLACE, 0, MPI.BYTE, bytes, Int32Array.from(lengths), begins, MPI.BYTE, MPI.COMM_WORLD],
      ),
    );
  }

  /** Waits until all ranks have called it, looking now and then. */
  meet(what: string): Promise<void> {
    return this.#collective(what, async () => {
      const request = new BigUint64Array(1);
      const done = new Int32Array(1);
      this.#mpi.call("MPI_Ibarrier", MPI.COMM_WORLD, request);
      const start = performance.now();
      for (;;) {
        this.#mpi.call("MPI_Test", request, done, MPI.STATUS_IGNORE);
        if (done[0] !== 0) return;
        // Those that come together have met within some microseconds.
        if (performance.now() - start < EAGER_MS) await new Promise((resolve) => setImmediate(resolve));
        else await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
  }

  /** Ends the run on all ranks, for what this one says went wrong. */
  abort(sentence: string): never {
    this.#say(`Rank ${this.rank} on ${this.hosts[this.rank] ?? hostname()}, at ${this.at}: ${sentence}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANDING_ON_MS);
    return this.#abort();
  }

  /** Leaves the ranks, when all have come; nothing else may be called then. */
  async close(): Promise<void> {
    if (this.#closed) return;
    // However long the first rank takes for what it writes.
    this.patient = true;
    this.#patience = Infinity;
    await this.meet("end");
    this.#closed = true;
    this.#mpi.call("MPI_Finalize");
  }

  #collective(what: string, work: () => Promise<void>): Promise<void> {
    const run = this.#last.then(async () => {
      const start = performance.now();
      const deadline = this.patient ? this.#patience : this.#deadline;
      const late = Number.isFinite(deadline)
        ? setTimeout(() => void this.#late(what, deadline), 1000 * deadline)
        : undefined;
      try {
        await work();
      } finally {
        clearTimeout(late);
        this.waitedMs += performance.now() - start;
      }
    });
    this.#last = run.catch(() => undefined);
    return run;
  }

  /**
   * Nobody can be told by a collective that it is missing in one. Those that wait tell each other so, by messages, and who is
   * not heard of is the one that is missing; the first of those that wait says it.
   */
  async #late(what: string, deadline: number): Promise<void> {
    try {
      await this.#tellWhoIsMissing(what, deadline);
    } finally {
      this.#abort();
    }
  }

  async #tellWhoIsMissing(what: string, deadline: number): Promise<void> {
    const mine = Buffer.alloc(1);
    const others = Array.from({ length: this.size }, (_, rank) => rank).filter((rank) => rank !== this.rank);
    for (const rank of others)
      void this.#mpi.wait("MPI_Send", mine, 0, MPI.BYTE, rank, LATE, MPI.COMM_WORLD).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(1, Math.min(10, GRACE * deadline))));
    const missing = others.filter((rank) => !this.#heardOf(rank));
    const first = Math.min(this.rank, ...others.filter((rank) => !missing.includes(rank)));
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    if (first === this.rank) {
      this.#say(this.#missingText(missing, what, deadline));
      await pause(HANDING_ON_MS);
    }
    // Whoever says it does so before anybody ends the run.
    else await pause(4 * HANDING_ON_MS);
  }

  #heardOf(rank: number): boolean {
    const flag = [0];
    this.#mpi.call("MPI_Iprobe", rank, LATE, MPI.COMM_WORLD, flag, MPI.STATUS_IGNORE);
    return flag[0] !== 0;
  }

  #missingText(missing: readonly number[], what: string, deadline: number): string {
    const names = missing.map((rank) => `rank ${rank} on ${this.hosts[rank] ?? "its host"}`).join(", ");
    const who =
      missing.length === 0 ? "No rank is missing, but the network of MPI stands still" : `Missing: ${names}`;
    return (
      `The ${what} of ${this.at} was not done within ${deadline} s. ${who}. The run is ended on all ranks; --resume goes ` +
      `on from the last checkpoint.`
    );
  }

  #abort(): never {
    this.#status?.tell({ ended: true });
    this.#mpi.call("MPI_Abort", MPI.COMM_WORLD, 1);
    process.exit(1);
  }
}

/** Where parts of these lengths begin that lie one after the other. */
function beginsOf(lengths: ArrayLike<number>): { readonly begins: Int32Array; readonly total: number } {
  const begins = new Int32Array(lengths.length);
  let total = 0;
  for (let i = 0; i < lengths.length; i++) {
    begins[i] = total;
    total += lengths[i];
  }
  return { begins, total };
}

const toStderr = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`);
};
