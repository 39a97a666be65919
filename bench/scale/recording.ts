import type { Collectives, Reducible, Reduction } from "../../src/mpi/collectives.ts";

/** Sums of gradients, as a training step calls for them. */
export interface RecordedSum {
  readonly bytes: number;
  /** When, by `performance.now()`. */
  readonly called: number;
}

/** The first of two ranks, of which the other one costs no time, and adds nothing: it does all that a rank does but for the exchange itself. */
export const alone = (): Collectives => ({
  rank: 0,
  size: 2,
  at: "",
  patient: false,
  waitedMs: 0,
  meet: () => Promise.resolve(),
  allReduce: () => Promise.resolve(),
  allGather: (_, bytes) => Promise.resolve([bytes.slice(), bytes.slice()]),
  allToAll: (_, bytes, [own]) => Promise.resolve(bytes.slice(0, own)),
  gatherParts: () => Promise.resolve(),
});

/** Does what `ranks` do, and writes down when gradients come to be summed. */
export function recording(ranks: Collectives, sums: RecordedSum[]): Collectives {
  return new Proxy(ranks, {
    get(target, name) {
      if (name === "allReduce") {
        return (what: string, numbers: Reducible, reduction?: Reduction) => {
          if (what === "sum of the gradients")
            sums.push({ bytes: numbers.byteLength, called: performance.now() });
          return target.allReduce(what, numbers, reduction);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}
