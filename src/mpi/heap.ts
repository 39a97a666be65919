/** @file What MPICH does to the heap of a process that joins its ranks, and how the process comes through it. */
import { loadKoffi } from "../load-koffi.ts";

/** More than MPICH reads from where a rank's address begins (`MPID_MAX_BC_SIZE`). */
const ROOM_BYTES = 2 ** 13;

/** A block that malloc takes from the heap, as it has less than 128 KiB, and three times as many as MPI needs to start two ranks. */
const BLOCK_BYTES = 120_000;
const BLOCKS = 64;

/** To be called before MPI is loaded. */
export async function prepareHeap(): Promise<void> {
  leaveHeapAlone();
  if (process.platform === "linux") await keepRoomBehindHeap();
}

/**
 * MPICH's UCX tries whether it hears of changes of memory by `sbrk(page)` and `sbrk(-page)`, and does the second even where the first has
 * failed: then the heap loses its last page, with what is in it. It fails where V8 has laid its code right behind the heap, by chance, in one
 * start of a hundred. Without these events UCX does not try, and keeps no cache of registered memory.
 */
function leaveHeapAlone(): void {
  if (process.env.UCX_MEM_MMAP_HOOK_MODE === undefined) process.env.UCX_MEM_EVENTS ??= "n";
}

/**
 * MPICH 5.0 copies 4096 bytes of a rank's address, which has some 200 (`MPIDI_UCX_comm_addr_exchange`), and crashes where these are the
 * heap's last ones: in one start of a hundred. So the heap gets free blocks for all that MPI needs, and behind them bytes that
 * are there and that malloc does not know of. As they lie at its end, malloc does not give the blocks back either.
 */
export async function keepRoomBehindHeap(): Promise<void> {
  const koffi = await loadKoffi();
  let libc;
  try {
    libc = koffi.load("libc.so.6");
  } catch {
    // A system with another one, for which no MPICH is handed out.
    return;
  }
  const malloc = libc.func("malloc", "void *", ["size_t"]) as (bytes: number) => unknown;
  const free = libc.func("free", "void", ["void *"]) as (block: unknown) => void;
  const sbrk = libc.func("sbrk", "void *", ["intptr_t"]) as (bytes: number) => unknown;
  const blocks = Array.from({ length: BLOCKS }, () => malloc(BLOCK_BYTES));
  sbrk(ROOM_BYTES);
  for (const block of blocks) free(block);
}
