import { readFileSync } from "node:fs";
import { statOf } from "./process-start.mjs";
import { capture } from "./processes.mjs";

/** Milliseconds between two looks. */
const PERIOD = 1000;

/**
 * The processes from `npm run` down to this one: npm and, where it does not give its place to the command, the shell
 * that npm starts a script in. A signal that ends npm ends that shell at best, and so it has to be seen from here.
 *
 * @param {string | null} script npm's text of the script that this process is, or null: npm did not start it
 * @returns {Promise<number[]>} their ids; none where npm did not start this process
 */
export async function npmAbove(script) {
  if (script === null) return [];
  const parent = process.ppid;
  const { above, isShell } = await describe(parent, script);
  return isShell && above > 0 ? [parent, above] : [parent];
}

/**
 * A process's parent, and whether it is the shell of a script.
 *
 * @param {number} pid
 * @param {string} script
 * @returns {Promise<{ above: number, isShell: boolean }>}
 */
async function describe(pid, script) {
  if (process.platform === "linux") {
    try {
      const isShell = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(script);
      return { above: Number(statOf(pid)[1]), isShell };
    } catch {
      return { above: 0, isShell: false };
    }
  }
  if (process.platform === "win32") {
    const query = `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").ParentProcessId`;
    const { stdout } = await capture("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", query]);
    // There is always a shell: npm scripts are not programs of Windows's.
    return { above: Number.parseInt(stdout, 10) || 0, isShell: true };
  }
  const { stdout } = await capture("ps", ["-o", "ppid=,args=", "-p", String(pid)]);
  return { above: Number.parseInt(stdout, 10) || 0, isShell: stdout.includes(script) };
}

/**
 * Calls `then` once, as soon as one of the processes has ended. Does not keep this one alive.
 *
 * @param {readonly number[]} pids
 * @param {() => void} then
 * @returns {() => void} ends the watch
 */
export function whenOneEnds(pids, then) {
  const timer = setInterval(() => {
    if (pids.every(isRunning)) return;
    clearInterval(timer);
    then();
  }, PERIOD);
  timer.unref();
  return () => clearInterval(timer);
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: of another user.
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH") return false;
  }
  if (process.platform !== "linux") return true;
  try {
    // One that has ended is listed until its parent has asked for its exit code.
    return !["Z", "X"].includes(statOf(pid)[0] ?? "");
  } catch {
    return true;
  }
}
