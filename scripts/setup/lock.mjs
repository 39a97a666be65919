import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError, say } from "./messages.mjs";
import { interrupted } from "./processes.mjs";

const POLL_MILLISECONDS = 250;
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
    if (ownerIsGone(path)) {
      discard(path);
      continue;
    }
    if (!waiting) say("waiting for another set-up of this checkout to finish");
    waiting = true;
    interrupted.throwIfAborted();
    await sleep(POLL_MILLISECONDS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function acquire(path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${process.pid} ${hostname()}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === "EEXIST") return false;
    throw new SetupError(
      `set-up cannot write to ${dirname(path)} (${code}): make the folder writable for this user, then run this again.`,
    );
  }
}

/** @param {string} path */
function ownerIsGone(path) {
  try {
    const [pid, host] = readFileSync(path, "utf8").trim().split(" ");
    const ageSeconds = (Date.now() - statSync(path).mtimeMs) / 1000;
    // Empty for the instant between its making and its writing.
    if (!pid) return ageSeconds > 5;
    if (host !== hostname()) return ageSeconds > FOREIGN_LOCK_SECONDS;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // ENOENT: released meanwhile; EPERM: alive, of another user.
    return /** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH";
  }
}

/**
 * Two waiters may both see a dead owner: the rename lets only one of them remove its lock.
 *
 * @param {string} path
 */
function discard(path) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  rmSync(aside, { force: true });
}
