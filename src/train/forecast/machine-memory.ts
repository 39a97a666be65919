import { freemem } from "node:os";

/**
 * Bytes that a process of this machine, or of the container it runs in, can still take. An adapter that runs on the CPU has
 * its buffers there.
 */
export function machineMemory(): number {
  const limit = process.constrainedMemory();
  const free = freemem();
  // Without a limit it is 0 or a number beyond any machine's memory.
  return limit > 0 ? Math.min(free, Math.max(0, limit - process.memoryUsage.rss())) : free;
}
