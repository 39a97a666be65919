import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * When a process was started, in a form of the system's own: with its id that tells it from every other process that this
 * machine has run or will. A process that has ended and that nobody has asked for its exit code counts as gone.
 *
 * @param {number} pid
 * @returns {string | null} null when there is no such process, "" when the system does not tell
 */
export function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: of another user.
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH") return null;
  }
  try {
    if (process.platform === "linux") return startOnLinux(pid);
    return process.platform === "win32" ? "" : startByPs(pid);
  } catch {
    return "";
  }
}

/** @param {number} pid */
function startOnLinux(pid) {
  const fields = statOf(pid);
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return /[ZX]/.test(fields[0] ?? "") ? null : `${boot} ${fields[19]}`;
}

/**
 * The fields of Linux's `/proc/<pid>/stat` behind the program's name: the state, the parent's id and others, and as the 20th
 * the start, in clock ticks since the machine was started.
 *
 * @param {number} pid
 */
export function statOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** @param {number} pid */
function startByPs(pid) {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const [state, ...start] = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  })
    .trim()
    .split(/\s+/);
  return /Z/.test(state ?? "") ? null : start.join(" ");
}
