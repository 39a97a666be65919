/** @file npm's `koffi`, which calls libraries of the system; an optional dependency. */
import type Koffi from "koffi";

/** Of each call: MPI runs whatever its network needs on its caller's stack, and koffi's own have half a MiB by default. */
const STACK_BYTES = 2 ** 23;

let loaded: Promise<typeof Koffi> | undefined;

/**
 * Koffi, set up before it has loaded any library, which is when it can be.
 *
 * @throws Error where it is not installed.
 */
export function loadKoffi(): Promise<typeof Koffi> {
  return (loaded ??= import("koffi").then(({ default: koffi }) => {
    koffi.config({ sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });
    return koffi;
  }));
}
