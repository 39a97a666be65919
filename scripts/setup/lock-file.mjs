import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import { startOf } from "./process-start.mjs";

/**
 * Which process has a lock. `started` is what `startOf` tells of it, `since` the time in milliseconds.
 *
 * @typedef {{ pid: number, host: string, started: string, since: number, command: string }} Holder
 *
 * What came of taking a lock: it is this process's now, perhaps from one that is gone, or it is another's. A lock that
 * cannot be read has no holder.
 * @typedef {{ taken: true, from: Holder | null } | { taken: false, holder: Holder | null }} Taking
 */

/** A lock that cannot be read may be about to be written, where the file system makes it and fills it in two steps. */
const UNREADABLE_SECONDS = 5;
/** Longer than a lock is taken over for, by far. */
const CLAIM_SECONDS = 10;

/** The locks of this process: path to content. */
const held = new Map();

/**
 * Takes the lock at `path`, a file that is there as long as a process has the lock and says which. One whose process is gone
 * is taken over; whether a process of another host is gone cannot be told. The lock is released when the process exits; one
 * that is killed leaves its file to be taken over.
 *
 * @param {string} path in a folder that is there
 * @param {{ abandonedAfter?: number }} [options] after so many seconds a lock of another host counts as one of a process
 *   that is gone; never, unless told otherwise
 * @returns {Taking}
 * @throws what Node throws when the file cannot be written
 */
export function takeLock(path, { abandonedAfter = Infinity } = {}) {
  const text = describeThisProcess();
  for (;;) {
    if (makeFile(path, text)) return hold(path, text, null);
    const lock = read(path);
    if (lock === null) continue;
    const { holder, ageSeconds } = lock;
    if (!isGone(holder, ageSeconds, abandonedAfter)) return { taken: false, holder };
    if (replace(path, lock.text, text)) return hold(path, text, holder);
    return { taken: false, holder: read(path)?.holder ?? holder };
  }
}

/**
 * Releases a lock of this process. One that is another's meanwhile, as its file was removed by hand, stays.
 *
 * @param {string} path
 */
export function releaseLock(path) {
  const text = held.get(path);
  held.delete(path);
  if (held.size === 0) process.off("exit", releaseAll);
  if (text !== undefined && read(path)?.text === text) rmSync(path, { force: true });
}

function releaseAll() {
  for (const path of held.keys()) releaseLock(path);
}

function describeThisProcess() {
  const [, program = "node", ...args] = process.argv;
  const command = [basename(program), ...args].join(" ").slice(0, 300);
  const { pid } = process;
  const holder = { pid, host: hostname(), started: startOf(pid) ?? "", since: Date.now(), command };
  return `${JSON.stringify(holder)}\n`;
}

/**
 * @param {string} path
 * @param {string} text
 * @param {Holder | null} from
 * @returns {Taking}
 */
function hold(path, text, from) {
  if (held.size === 0) process.on("exit", releaseAll);
  held.set(path, text);
  return { taken: true, from };
}

/**
 * Makes a file, unless there is one: by a link, with its content from the first moment on.
 *
 * @param {string} path
 * @param {string} text
 */
function makeFile(path, text) {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, text);
    linkSync(draft, path);
    return true;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === "EEXIST") return false;
    // A file system without links, or one that cannot be written, which this says.
    return makeNew(path, text);
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} text
 */
function makeNew(path, text) {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * @param {string} path
 * @returns {{ text: string, holder: Holder | null, ageSeconds: number } | null} null when there is no such file
 */
function read(path) {
  let text, changed;
  try {
    text = readFileSync(path, "utf8");
    changed = statSync(path).mtimeMs;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return null;
    throw error;
  }
  const ageSeconds = (Date.now() - changed) / 1000;
  try {
    const { pid, host, started, since, command } = JSON.parse(text);
    const whole = Number.isInteger(pid) && pid > 0 && typeof host === "string" && typeof since === "number";
    if (!whole) return { text, holder: null, ageSeconds };
    return {
      text,
      holder: { pid, host, started: String(started), since, command: String(command) },
      ageSeconds,
    };
  } catch {
    return { text, holder: null, ageSeconds };
  }
}

/**
 * @param {Holder | null} holder
 * @param {number} ageSeconds
 * @param {number} abandonedAfter
 */
function isGone(holder, ageSeconds, abandonedAfter) {
  if (holder === null) return ageSeconds > UNREADABLE_SECONDS;
  if (holder.host !== hostname()) return ageSeconds > abandonedAfter;
  const started = startOf(holder.pid);
  // Another process may have got its id since; where the system tells no times, that cannot be seen.
  return started === null || (started !== "" && holder.started !== "" && started !== holder.started);
}

/**
 * Puts a lock in the place of one whose process is gone. Several may be about to: only who has made the claim looks whether it
 * is still that lock, and replaces it, so that nobody takes the lock from whoever was quicker.
 *
 * @param {string} path
 * @param {string} old what is in the lock
 * @param {string} text what is to be in it
 * @returns {boolean} false when another process was quicker, or is at it
 */
function replace(path, old, text) {
  const claim = `${path}.claim`;
  if (!makeNew(claim, "")) {
    const age = (Date.now() - (statSync(claim, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())) / 1000;
    if (age > CLAIM_SECONDS) rmSync(claim, { force: true });
    return false;
  }
  const draft = `${path}.${process.pid}`;
  try {
    if (read(path)?.text !== old) return false;
    writeFileSync(draft, text);
    renameSync(draft, path);
    return true;
  } finally {
    rmSync(draft, { force: true });
    rmSync(claim, { force: true });
  }
}
