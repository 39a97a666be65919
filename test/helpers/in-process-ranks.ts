import type { Collectives, Reducible, Reduction } from "../../src/mpi/collectives.ts";

const COMBINE: Readonly<Record<Reduction, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  min: Math.min,
  max: Math.max,
};

/** What all ranks have brought to a collective, once they have; a rank that calls another one than the rest is an error. */
class Meeting<T> {
  readonly #size: number;
  readonly #brought: T[] = [];
  #here = 0;
  #what: string | null = null;
  #open!: (all: readonly T[]) => void;
  readonly all = new Promise<readonly T[]>((resolve) => (this.#open = resolve));

  constructor(size: number) {
    this.#size = size;
  }

  bring(rank: number, what: string, item: T): void {
    this.#what ??= what;
    if (what !== this.#what)
      throw new Error(`Rank ${rank} calls "${what}" where others call "${this.#what}".`);
    this.#brought[rank] = item;
    if (++this.#here === this.#size) this.#open(this.#brought);
  }
}

/** Ranks within one process: what MPI does, in the order of the ranks. */
export function inProcessRanks(size: number): Collectives[] {
  const meetings: Meeting<unknown>[] = [];
  return Array.from({ length: size }, (_, rank) => {
    let calls = 0;
    const meet = async <T>(what: string, item: T): Promise<readonly T[]> => {
      const meeting = (meetings[calls] ??= new Meeting<unknown>(size)) as Meeting<T>;
      calls++;
      meeting.bring(rank, what, item);
      return meeting.all;
    };
    return {
      meet: async (what: string) => void (await meet(what, null)),
      ...{ rank, size, at: "", waitedMs: 0, patient: true },
      async allReduce(what: string, numbers: Reducible, reduction: Reduction = "sum") {
        const all = await meet(what, numbers.slice());
        const combine = COMBINE[reduction];
        all[0].forEach((first, i) => {
          numbers[i] = all.slice(1).reduce((sum, other) => {
            numbers[i] = combine(sum, other[i]);
            return numbers[i];
          }, first);
        });
      },
      async allToAll(what: string, bytes: Uint8Array, sent: readonly number[], received: readonly number[]) {
        const parts = sent.map((length, to) => {
          const begin = sent.slice(0, to).reduce((sum, other) => sum + other, 0);
          return bytes.slice(begin, begin + length);
        });
        const mine = (await meet(what, parts)).map((from) => from[rank]);
        if (mine.some(({ length }, from) => length !== received[from]))
          throw new Error(`Rank ${rank} is sent other lengths than it says.`);
        const all = new Uint8Array(mine.reduce((sum, { length }) => sum + length, 0));
        let begin = 0;
        for (const part of mine) {
          all.set(part, begin);
          begin += part.length;
        }
        return all;
      },
      async gatherParts(what: string, bytes: Uint8Array, lengths: readonly number[]) {
        const begins = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, other) => sum + other, 0));
        const all = await meet(what, bytes.slice(begins[rank], begins[rank] + lengths[rank]));
        all.forEach((part, from) => bytes.set(part, begins[from]));
      },
      allGather: async (what: string, bytes: Uint8Array) =>
        (await meet(what, bytes.slice())).map((own) => own.slice()),
    };
  });
}
