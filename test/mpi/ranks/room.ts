// Says how many of the blocks that malloc gives have less behind them than MPICH reads, as it is and after the preparation.
import { loadKoffi } from "../../../src/load-koffi.ts";
import { prepareHeap } from "../../../src/mpi/heap.ts";

const koffi = await loadKoffi();
const libc = koffi.load("libc.so.6");
const malloc = libc.func("malloc", "uintptr_t", ["size_t"]) as (bytes: number) => number | bigint;
const sbrk = libc.func("sbrk", "uintptr_t", ["intptr_t"]) as (by: number) => number | bigint;

/** As many as MPI needs and more, so that the heap grows. */
const count = (): number =>
  Array.from({ length: 10_000 }, () => {
    const begin = BigInt(malloc(226));
    const room = BigInt(sbrk(0)) - begin;
    return room > 0n && room < 4096n;
  }).filter(Boolean).length;

const before = count();
await prepareHeap();
console.log(JSON.stringify([before, count()]));
