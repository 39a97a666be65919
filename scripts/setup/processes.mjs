import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** What asks a process to end. @type {readonly NodeJS.Signals[]} */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * What a finished process left: its exit code (null when a signal ended it or it never started), what it printed, and
 * why it did not start.
 *
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null, stdout: string, stderr: string, failure: Error | null }} Finished
 */

/** A signal has asked this process to end; {@link endBy} does so. */
export class Interruption extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`Interrupted by ${signal}.`);
    this.signal = signal;
  }
}

const interruption = new AbortController();

/** Is aborted, with an {@link Interruption}, by the first signal after {@link heedSignals}. */
export const interrupted = interruption.signal;

/**
 * From now on a signal does not end this process where it is: {@link interrupted} is aborted, the programs of
 * {@link capture} are ended, and whoever waits for one is told by the error. A second one ends it at once.
 *
 * @returns {() => void} has signals do what they did before
 */
export function heedSignals() {
  const heed = (/** @type {NodeJS.Signals} */ signal) => {
    if (!interrupted.aborted) return interruption.abort(new Interruption(signal));
    // A terminal's Ctrl-C, handed on by npm as well, comes twice.
    if (performance.now() - at > 500) endBy(signal);
  };
  let at = 0;
  interrupted.addEventListener("abort", () => (at = performance.now()));
  for (const signal of SIGNALS) process.on(signal, heed);
  return () => {
    for (const signal of SIGNALS) process.off(signal, heed);
  };
}

/**
 * Waits, unless a signal has asked this process to end: rejects with the {@link Interruption} then.
 *
 * @param {number} seconds
 */
export async function pause(seconds) {
  await sleep(seconds * 1000, undefined, { signal: interrupted }).catch(() => undefined);
  interrupted.throwIfAborted();
}

/**
 * Ends this process by a signal, as if nobody had heeded it.
 *
 * @param {NodeJS.Signals} signal
 */
export function endBy(signal) {
  const code = 128 + constants.signals[signal];
  if (process.platform === "win32") process.exit(code);
  process.exitCode = code;
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * Runs a command to its end with nothing on its stdin and collects its output. Rejects only when a signal has asked this
 * process to end: with an {@link Interruption}, once the command has ended.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutSeconds?: number, shell?: boolean }} [options]
 * @returns {Promise<Finished>}
 */
export async function capture(command, args, { cwd, env, timeoutSeconds = 600, shell = false } = {}) {
  interrupted.throwIfAborted();
  const child = spawn(command, args, {
    cwd,
    env: env ?? process.env,
    shell,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutSeconds * 1000,
  });
  // As a terminal does it: npm stops, and apt finishes what it must not leave half done.
  const end = () => void child.kill("SIGINT");
  interrupted.addEventListener("abort", end);
  const finished = await finish(child);
  interrupted.removeEventListener("abort", end);
  interrupted.throwIfAborted();
  return finished;
}

/**
 * @param {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, import("node:stream").Readable>} child
 * @returns {Promise<Finished>}
 */
function finish(child) {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", (failure) => resolve({ code: null, signal: null, stdout, stderr, failure }));
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr, failure: null }));
  });
}

/**
 * What a rank of several talks to its `mpiexec` by, of which Node keeps none for its children unless told to: a descriptor that
 * `PMI_FD` names.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {("ignore" | "inherit" | number)[]} of the descriptors from 3
 */
function ofRanks({ PMI_FD }) {
  const descriptor = Number(PMI_FD);
  if (!Number.isInteger(descriptor) || descriptor < 3 || descriptor > 1000) return [];
  try {
    fstatSync(descriptor);
  } catch {
    return [];
  }
  return [...Array(descriptor - 3).fill("ignore"), descriptor];
}

/**
 * Runs a command as if it stood in this process's place: same terminal, signals passed on, and this process ends as the
 * command did (its exit code, or the signal that ended it).
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {{ countsInterrupts?: boolean }} [options] whether the command ends untidily when one Ctrl-C comes to it twice
 * @returns {Promise<void>}
 */
export function runInPlace(command, args, env, { countsInterrupts = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ["inherit", "inherit", "inherit", ...ofRanks(env)] });
    // A terminal's Ctrl-C reaches the whole foreground process group, so the command has it already.
    const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    const handOn = (/** @type {NodeJS.Signals} */ signal) => {
      // Windows has no signals to hand on: its console tells every process by itself, and `kill` would end the command.
      if (process.platform === "win32" || (signal === "SIGINT" && terminal && countsInterrupts)) return;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, handOn);
    const release = () => {
      for (const signal of SIGNALS) process.off(signal, handOn);
    };
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      release();
      if (signal === null) process.exitCode = code ?? 1;
      else endBy(signal);
      resolve();
    });
  });
}
