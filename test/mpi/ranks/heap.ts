// Something lies right behind the heap, as V8's code does now and then. Joining the ranks must leave the heap as it is.
import assert from "node:assert/strict";
import { loadKoffi } from "../../../src/load-koffi.ts";
import { Communicator } from "../../../src/mpi/communicator.ts";
import { keepRoomBehindHeap } from "../../../src/mpi/heap.ts";

const koffi = await loadKoffi();
const libc = koffi.load("libc.so.6");
const sbrk = libc.func("sbrk", "uintptr_t", ["intptr_t"]) as (by: number) => number | bigint;
const mmap = libc.func("mmap", "uintptr_t", ["uintptr_t", "size_t", "int", "int", "int", "long"]) as (
  ...args: (number | bigint)[]
) => number | bigint;

// What MPICH reads behind the heap's end is not what this is about, and joining cannot prepare for it where the heap cannot grow.
await keepRoomBehindHeap();

const PAGE = 4096;
/** MAP_PRIVATE, MAP_ANONYMOUS and MAP_FIXED_NOREPLACE. */
const FLAGS = 0x02 | 0x20 | 0x100000;
const end = BigInt(sbrk(0));
// Where it is refused, something lies there already.
mmap(end, PAGE, 0, FLAGS, -1, 0);
const ranks = await Communicator.join();
assert.equal(BigInt(sbrk(0)) - end, 0n, "the heap has another end");
await ranks.close();
if (ranks.rank === 0) console.log("right");
