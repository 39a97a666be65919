import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { releaseLock, takeLock } from "./lock-file.mjs";
import { SetupError, say } from "./messages.mjs";
import { pause } from "./processes.mjs";

const POLL_SECONDS = 0.25;
/** A lock of another machine's (a shared folder) cannot be asked whether its owner lives; after this it counts as dead. */
const FOREIGN_LOCK_SECONDS = 15 * 60;

/**
 * Runs `work` while no other process runs work under the same lock file. The lock of a process that died is taken over.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @throws {SetupError} when the lock's folder cannot be written
 */
export async function withLock(path, work) {
  let waiting = false;
  while (!acquire(path)) {
    if (!waiting) say("waiting for another set-up to finish");
    waiting = true;
    await pause(POLL_SECONDS);
  }
  try {
    return await work();
  } finally {
    releaseLock(path);
  }
}

/** @param {string} path */
function acquire(path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return takeLock(path, { abandonedAfter: FOREIGN_LOCK_SECONDS }).taken;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new SetupError(
      `set-up cannot write to ${dirname(path)} (${code}): make the folder writable for this user, then run this again.`,
    );
  }
}
