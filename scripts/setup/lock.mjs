import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
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
    if (ownerIsGone(path) && discard(path)) continue;
    if (!waiting) say("waiting for another set-up of this checkout to finish");
    waiting = true;
    await pause(POLL_SECONDS);
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
 * Removes the lock of an owner that is gone. Another waiter may have seen it as well, and have removed it and made its own
 * meanwhile: so one at a time looks once more.
 *
 * @param {string} path
 * @returns {boolean} false when it is another one's turn
 */
export function discard(path) {
  const turn = `${path}.turn`;
  try {
    mkdirSync(turn);
  } catch {
    // Whoever had it was killed meanwhile.
    if (isOlder(turn, 5)) rmSync(turn, { recursive: true, force: true });
    return false;
  }
  try {
    if (ownerIsGone(path)) rmSync(path, { force: true });
    return true;
  } finally {
    rmdirSync(turn);
  }
}

/**
 * @param {string} path
 * @param {number} seconds
 */
function isOlder(path, seconds) {
  try {
    return (Date.now() - statSync(path).mtimeMs) / 1000 > seconds;
  } catch {
    return false;
  }
}
